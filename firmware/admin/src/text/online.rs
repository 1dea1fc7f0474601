//! The words about who is online.

use super::texts;

texts! {
    ONLINE_TITLE = "Who is online", "Qui est en ligne";
    ONLINE_INTRO = "The desk signs in at your chat server (XMPP) as one of its users and shows of every contact with an XMPP address whether they are online. The account must be allowed to see them.", "Le poste se connecte à votre serveur de messagerie (XMPP) comme l’un de ses utilisateurs et montre, pour chaque contact qui a une adresse XMPP, s’il est en ligne. Le compte doit avoir le droit de les voir.";
    ONLINE_NONE = "No chat server is set.", "Aucun serveur de messagerie n’est défini.";
    ONLINE_CHANGE = "Change the chat account", "Modifier le compte de messagerie";
    ONLINE_REMOVE = "Do without a chat server", "Se passer de serveur de messagerie";
    ONLINE_ADDRESS = "Address of the desk’s chat account", "Adresse du compte de messagerie du poste";
    ONLINE_ADDRESS_HINT = "Such as desk@example.com; the server’s certificate must name the domain.", "Par exemple accueil@exemple.fr ; le certificat du serveur doit nommer le domaine.";
    ONLINE_PASSWORD_SET = "One is set. Empty: it stays, as long as nothing else here changes.", "Un mot de passe est enregistré. Vide : il reste, tant que rien d’autre ne change ici.";
    ONLINE_PASSWORD_WANTED = "Type the password. It is kept only for the same address, server and certificates.", "Saisissez le mot de passe. Il n’est conservé que pour les mêmes adresse, serveur et certificats.";
    ONLINE_TROUBLE = "Nobody is shown as online now. Reason: “{reason}”. Correct the chat account if that is due to it; it is tried again by itself.", "Personne n’est montré en ligne en ce moment. Motif : « {reason} ». Corrigez le compte de messagerie si cela vient de lui ; un nouvel essai a lieu de lui-même.";
    ONLINE_PASSWORD_NONE = "None is set.", "Aucun n’est enregistré.";
    ONLINE_SERVER = "Chat server, where it is not the domain", "Serveur de messagerie, s’il n’est pas le domaine";
    ONLINE_SERVER_HINT = "Name or name:port. Empty: found by the domain, port 5222.", "Nom ou nom:port. Vide : trouvé par le domaine, port 5222.";
    ONLINE_CA = "Certificates of your own authority, a file on the box", "Certificats de votre propre autorité, un fichier sur l’appareil";
    ONLINE_CA_HINT = "The whole path of a PEM file, trusted besides those of the box. Usually empty.", "Le chemin complet d’un fichier PEM, admis en plus de ceux de l’appareil. D’ordinaire vide.";
}
