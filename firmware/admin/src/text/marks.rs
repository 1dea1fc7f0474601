//! Words about calls that something was wrong with.

use super::texts;

texts! {
    MARKS = "Calls that something was wrong with", "Appels avec un problème signalé";
    MARKS_INTRO = "When the operator says that something was wrong with a call, what was counted of its last 60 seconds is kept as long as the call is in the log. There is no speech in it.", "Quand l’opérateur signale un problème sur un appel, les chiffres de ses 60 dernières secondes sont gardés aussi longtemps que l’appel est au journal. Les paroles n’y sont pas.";
    MARKS_NONE = "The operator has said so of no call.", "L’opérateur n’a signalé aucun appel.";
    MARKS_NEWEST = "The newest {most}.", "Les {most} plus récents.";
    MARK_SAID = "Said", "Signalé";
    MARK_BEGAN = "Call began", "Début de l’appel";
    MARK_TALKED = "Talk and hold time", "Conversation et attente";
    MARK_SOUND = "Its sound", "Son";
    MARK_SUM = "received: {received}, lost: {lost}, late: {late}, made up: {concealed} ms", "reçus : {received}, perdus : {lost}, en retard : {late}, reconstitués : {concealed} ms";
    MARK_NO_SOUND = "no sound came through the desk", "aucun son n’est passé par le poste";
    MARK_SHOW = "Second by second", "Seconde par seconde";
    MARK_SECONDS = "The last {seconds} seconds, the newest last", "Les {seconds} dernières secondes, la plus récente en dernier";
    MARK_ENDED = "The call ended at {when}; it was said after that.", "L’appel s’est terminé à {when} ; le problème a été signalé ensuite.";
    MARK_FILE = "For a spreadsheet (CSV)", "Pour un tableur (CSV)";
    MARK_BACK = "All calls that something was wrong with", "Tous les appels avec un problème signalé";
    MARK_LEGEND = "Counted between the desk and the other end of the call: packets a second, 50 of them at the usual 20 ms. Made up is speech in place of packets that were lost or late; repaired is what of it was made of the packet after the hole as well; shorter and longer is how much speech was sped up or slowed down to follow the network; left out is speech that came too late to be of use. Levels are the mean of the second (RMS) in dBFS: 0 is the loudest there is, -96 nothing at all. On hold only packets are counted.", "Compté entre le poste et l’autre extrémité de l’appel : des paquets par seconde, 50 pour les 20 ms habituelles. Reconstitué : la parole mise à la place de paquets perdus ou en retard ; réparé : ce qui l’a aussi été d’après le paquet suivant ; plus court et plus long : de combien la parole a été accélérée ou ralentie pour suivre le réseau ; omis : la parole arrivée trop tard pour servir. Les niveaux sont la moyenne de la seconde (valeur efficace) en dBFS : 0 est le plus fort, -96 rien du tout. En attente, seuls les paquets sont comptés.";
    MARK_AT = "Until", "Jusqu’à";
    MARK_SENT = "Sent", "Envoyés";
    MARK_RECEIVED = "Received", "Reçus";
    MARK_LOST = "Lost", "Perdus";
    MARK_LATE = "Late", "En retard";
    MARK_CONCEALED = "Made up, ms", "Reconstitué, ms";
    MARK_REPAIRED = "Repaired, ms", "Réparé, ms";
    MARK_SHORTENED = "Shorter, ms", "Plus court, ms";
    MARK_LENGTHENED = "Longer, ms", "Plus long, ms";
    MARK_LEFT_OUT = "Left out, ms", "Omis, ms";
    MARK_JITTER = "Jitter, ms", "Gigue, ms";
    MARK_BUFFER = "Buffer, ms", "Tampon, ms";
    MARK_ROUND_TRIP = "Round trip, ms", "Aller-retour, ms";
    MARK_HEARD = "Heard, dBFS", "Entendu, dBFS";
    MARK_SPOKEN = "Spoken, dBFS", "Dit, dBFS";
    MARK_HELD = "on hold", "en attente";
}
