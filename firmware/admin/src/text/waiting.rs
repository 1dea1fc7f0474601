//! The words about what callers hear who wait, and about the files that are uploaded for it.

use super::texts;

texts! {
    WAITING_TITLE = "For callers who wait", "Pour les appelants qui patientent";
    WAITING_INTRO = "Callers on hold hear music over and over; callers whom a rule answered hear the announcement first, once. What is uploaded is heard from the next hold on; calls go on, nothing is restarted.", "Les appelants en attente entendent la musique en boucle ; ceux qu’une règle a servis entendent d’abord l’annonce, une fois. Un fichier déposé s’entend dès la prochaine mise en attente ; les appels continuent, rien ne redémarre.";
    WAITING_HEARD = "Heard as", "Entendu comme";
    WAITING_MUSIC = "Music on hold", "Musique d’attente";
    WAITING_ANNOUNCEMENT = "Announcement", "Annonce";
    WAITING_LINE = "Music on hold of {name} ({number})", "Musique d’attente de {name} ({number})";
    WAITING_FILE = "Sound file", "Fichier son";
    WAITING_FILE_HINT = "WAV (16 bit PCM, mono or stereo, 8 to 48 kHz) or Opus; at most ten minutes and 64 MiB.", "WAV (PCM 16 bits, mono ou stéréo, 8 à 48 kHz) ou Opus ; dix minutes et 64 Mio au plus.";
    WAITING_UPLOAD = "Upload the sound file", "Déposer le fichier son";
    WAITING_SOUND = "Sound", "Son";
    WAITING_LENGTH = "Length", "Durée";
    WAITING_LEVEL = "Loudness", "Niveau sonore";
    WAITING_LEVEL_IS = "{mean} dBFS, peaks {peak} dBFS", "{mean} dBFS, crêtes {peak} dBFS";
    WAITING_LEVEL_LOW = "quiet", "faible";
    WAITING_LISTEN = "Listen", "Écouter";
    WAITING_DOWNLOAD = "Download {name}", "Télécharger {name}";
    WAITING_REMOVE = "Remove {name} from {heard}", "Supprimer {name} de {heard}";
    WAITING_UNNAMED = "a file without a name", "un fichier sans nom";
    WAITING_PIPS = "Soft pips", "Bips discrets";
    WAITING_NONE = "None", "Aucune";
    WAITING_OF_FILE = "The file that frontdesk.toml names", "Le fichier que nomme frontdesk.toml";
    WAITING_LOST = "The file is not on the box any more, as after settings of another box were taken over. Upload it again.", "Le fichier n’est plus sur l’appareil, comme après la reprise des réglages d’un autre appareil. Déposez-le à nouveau.";
    WAITING_TAKEN = "{name} ({length}) was taken: {heard}. Callers hear it from the next hold on.", "{name} ({length}) a été pris en compte : {heard}. Les appelants l’entendent dès la prochaine mise en attente.";
    WAITING_REMOVED = "It was removed: {heard}.", "Supprimé : {heard}.";
    WAITING_BUSY = "Another sound file is being uploaded or removed. Wait until that is done.", "Un autre fichier son est en cours de dépôt ou de suppression. Attendez la fin.";
    WAITING_EMPTY = "No file was chosen, or it is empty. Nothing was changed.", "Aucun fichier n’a été choisi, ou il est vide. Rien n’a été modifié.";
    WAITING_TOO_LARGE = "The file is larger than 64 MiB. Nothing was changed. Make it mono, shorter, or an Opus file.", "Le fichier dépasse 64 Mio. Rien n’a été modifié. Passez-le en mono, raccourcissez-le ou convertissez-le en Opus.";
    WAITING_BROKEN_OFF = "The upload broke off. Nothing was changed; upload the file again.", "Le dépôt a été interrompu. Rien n’a été modifié ; déposez le fichier à nouveau.";
    WAITING_NO_ROOM = "There is not enough room for it: all sound files together may take 256 MiB, and the disk must not get full. Nothing was changed. Remove another one, or make this one an Opus file.", "La place manque : tous les fichiers son ensemble peuvent prendre 256 Mio, et le disque ne doit pas se remplir. Rien n’a été modifié. Supprimez-en un autre, ou convertissez celui-ci en Opus.";
    WAITING_NO_ANSWER = "The desk did not say in time whether it can play the file. Nothing was changed; try again.", "Le poste n’a pas dit à temps s’il peut lire le fichier. Rien n’a été modifié ; réessayez.";
    WAITING_BROKEN = "This is neither a WAV nor an Opus file, or a damaged one. Nothing was changed.", "Ce n’est ni un fichier WAV ni un fichier Opus, ou il est abîmé. Rien n’a été modifié.";
    WAITING_FORMAT = "This WAV file has {bits} bit, {channels} channels and {rate} Hz; wanted are 16 bit PCM, one or two channels and 8000 to 48000 Hz. Nothing was changed.", "Ce fichier WAV a {bits} bits, {channels} canaux et {rate} Hz ; il faut du PCM 16 bits, un ou deux canaux et 8000 à 48000 Hz. Rien n’a été modifié.";
    WAITING_TOO_LONG = "The sound is longer than {minutes} minutes. Nothing was changed.", "Le son dépasse {minutes} minutes. Rien n’a été modifié.";
    WAITING_SILENT = "There is no sound in this file. Nothing was changed.", "Ce fichier ne contient aucun son. Rien n’a été modifié.";
}
