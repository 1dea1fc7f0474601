//! Words about how accounts reach their exchanges, and what is protected on the way.

use super::texts;

texts! {
    WHY_ZERO_OR_RANGE = "0, or {min} to {max}, are possible.", "Valeurs possibles : 0, ou de {min} à {max}.";
    WHY_NO_CERTIFICATE = "This is not a certificate. Paste the text of a PEM file that begins with BEGIN CERTIFICATE.", "Ce n’est pas un certificat. Collez le texte d’un fichier PEM qui commence par BEGIN CERTIFICATE.";
    WHY_KEY_IN_CERTIFICATE = "A private key stands in this text. Put it into the field of the key, and nowhere else.", "Ce texte contient une clé privée. Placez-la dans le champ de la clé, et nulle part ailleurs.";
    WHY_NO_KEY = "A private key is needed here: the text of a PEM file that begins with BEGIN PRIVATE KEY, without a passphrase.", "Il faut ici une clé privée : le texte d’un fichier PEM qui commence par BEGIN PRIVATE KEY, sans phrase secrète.";
    WHY_OTHER_KEY = "The key does not belong to the certificate. Give both from the same order.", "La clé ne correspond pas au certificat. Indiquez les deux de la même commande.";
    WHY_EXPIRED = "The certificate {name} has expired on {day}. Ask whoever issued it for a new one.", "Le certificat {name} a expiré le {day}. Demandez-en un nouveau à qui l’a émis.";
    PLACE_TLS = "Encrypted connections", "Connexions chiffrées";

    SIP_TRANSPORT = "Connection to the exchange", "Connexion au central";
    SIP_TRANSPORT_HINT = "Take TLS where the exchange offers it: then nobody on the way reads who calls whom. Its certificate is checked, see “Encrypted connections” on the page of the lines.", "Choisissez TLS si le central le propose : personne sur le trajet ne lit alors qui appelle qui. Son certificat est vérifié, voir « Connexions chiffrées » sur la page des lignes.";
    TRANSPORT_AUTO = "as the name server says, else UDP", "selon le serveur de noms, sinon UDP";
    TRANSPORT_UDP = "UDP", "UDP";
    TRANSPORT_TCP = "TCP", "TCP";
    TRANSPORT_TLS = "TLS, encrypted", "TLS, chiffré";
    SIP_SRTP = "Encrypt speech (SRTP)", "Chiffrer la parole (SRTP)";
    SIP_SRTP_HINT = "The key of a call travels with its set-up: take TLS as well, or whoever reads the one hears the other.", "La clé d’un appel voyage avec son établissement : choisissez aussi TLS, sinon qui lit l’un entend l’autre.";
    SRTP_OFF = "never", "jamais";
    SRTP_OPTIONAL = "where the other side can do it too", "si l’autre côté le peut aussi";
    SRTP_MANDATORY = "always; calls without are refused", "toujours ; les appels sans chiffrement sont refusés";
    SRTP_READABLE = "Speech is encrypted, but the keys are readable on the way: take TLS.", "La parole est chiffrée, mais les clés sont lisibles sur le trajet : choisissez TLS.";
    SIP_NAT = "A router stands before the exchange", "Un routeur se trouve devant le central";
    SIP_NAT_HINT = "Only where speech is missing in one direction, or calls do not come in. “No” is right in one and the same network.", "Seulement si la parole manque dans un sens, ou si les appels n’arrivent pas. « Non » convient dans un même réseau.";
    NAT_NONE = "no", "non";
    NAT_REGISTRAR = "yes: the address is the one that the exchange sees", "oui : l’adresse est celle que voit le central";
    NAT_STUN = "yes: the address is asked of a STUN server", "oui : l’adresse est demandée à un serveur STUN";
    SIP_STUN = "STUN server", "Serveur STUN";
    SIP_STUN_HINT = "Host or host:port; only where the address is asked of one.", "Hôte ou hôte:port ; seulement si l’adresse lui est demandée.";
    STUN_TROUBLE = "The STUN server {server} is of no help now. Calls are heard at the desk’s own address meanwhile.", "Le serveur STUN {server} n’aide pas en ce moment. Les appels sont reçus à l’adresse propre du poste en attendant.";
    SIP_TIMER = "Calls are confirmed within seconds", "Confirmation des appels, en secondes";
    SIP_TIMER_HINT = "So that a call ends whose other side is gone without a word. 1800 suits nearly everywhere, 90 is the least; 0 where the exchange cannot take it.", "Pour qu’un appel se termine quand l’autre côté a disparu sans un mot. 1800 convient presque partout, 90 est le minimum ; 0 si le central ne le supporte pas.";
    SIP_TRUST = "Believe the exchange when it says who calls (P-Asserted-Identity, Remote-Party-ID)", "Croire le central lorsqu’il dit qui appelle (P-Asserted-Identity, Remote-Party-ID)";

    TLS_TITLE = "Encrypted connections", "Connexions chiffrées";
    TLS_INTRO = "For accounts that connect by TLS: whom the desk trusts when an exchange shows its certificate, and what it shows of itself.", "Pour les comptes connectés par TLS : à qui le poste se fie lorsqu’un central montre son certificat, et ce qu’il montre de lui-même.";
    TLS_CHANGE = "Change", "Modifier";
    TLS_AUTHORITIES = "Authorities of your own", "Vos propres autorités";
    TLS_AUTHORITIES_NONE = "none; those that computers know anyway are trusted", "aucune ; celles que les ordinateurs connaissent déjà font foi";
    TLS_OWN = "Certificate of the desk", "Certificat du poste";
    TLS_OWN_NONE = "none; few exchanges ask for one", "aucun ; peu de centraux en demandent un";
    TLS_UNTIL = "until {day}", "jusqu’au {day}";
    TLS_ENDED = "expired on {day}: replace it", "expiré le {day} : remplacez-le";
    TLS_CHECK = "Certificate of the exchange", "Certificat du central";
    TLS_CHECKED = "is checked", "est vérifié";
    TLS_UNCHECKED = "is not checked", "n’est pas vérifié";
    TLS_WARNING = "The certificate of the exchange is not checked: anybody on the way can pretend to be the exchange, listen, and get the password. Add the certificate of the exchange’s authority, and turn the check on again.", "Le certificat du central n’est pas vérifié : n’importe qui sur le trajet peut se faire passer pour le central, écouter et obtenir le mot de passe. Ajoutez le certificat de l’autorité du central, puis rétablissez la vérification.";
    TLS_CA = "Certificates of authorities, PEM", "Certificats d’autorités, PEM";
    TLS_CA_HINT = "Only where your exchange has a certificate of your company’s own authority. Paste the authority’s, one after the other.", "Seulement si votre central a un certificat de l’autorité de votre entreprise. Collez celui de l’autorité, l’un après l’autre.";
    TLS_CERTIFICATE = "Certificate of the desk and its chain, PEM", "Certificat du poste et sa chaîne, PEM";
    TLS_CERTIFICATE_HINT = "Only where the exchange wants one. Empty it to show none any more.", "Seulement si le central en demande un. Videz ce champ pour n’en plus montrer.";
    TLS_KEY = "Private key of it, PEM, without a passphrase", "Sa clé privée, PEM, sans phrase secrète";
    TLS_KEY_SET = "One is set, and never shown. Leave this empty to keep it.", "Une clé est définie, et jamais affichée. Laissez vide pour la conserver.";
    TLS_VERIFY = "Check the certificate of the exchange (recommended)", "Vérifier le certificat du central (recommandé)";
}
