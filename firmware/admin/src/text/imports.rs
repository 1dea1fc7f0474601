//! The words about files of contacts.

use super::texts;

texts! {
    LOAD_TITLE = "Contacts from a CSV file", "Contacts depuis un fichier CSV";
    LOAD_INTRO = "The contacts of the file are added to a directory. Nobody in it is changed or removed, and whoever is there already, equal in every field, is not added again. Rows that are wrong are left out and listed; the others are taken. To replace what is in a directory, have it cleared at the desk first.", "Les contacts du fichier sont ajoutés à un annuaire. Personne n’y est modifié ni supprimé, et qui s’y trouve déjà, identique dans tous les champs, n’est pas ajouté à nouveau. Les lignes fautives sont laissées de côté et listées ; les autres sont prises. Pour remplacer le contenu d’un annuaire, faites-le d’abord vider au poste.";
    LOAD_INTO = "Into the directory", "Dans l’annuaire";
    LOAD_NEW = "a new directory, by the name below", "un nouvel annuaire, au nom ci-dessous";
    LOAD_NAME = "Name of the new directory", "Nom du nouvel annuaire";
    LOAD_KIND = "Kind of the new directory", "Type du nouvel annuaire";
    LOAD_FILE = "CSV file", "Fichier CSV";
    LOAD_FILE_HINT = "UTF-8 or Windows-1252, columns separated by commas, at most 256 MiB. The first line names the columns, in any order: lastname firstname company office department title note phone mobile home voicemail email xmpp calendar web presence alert picturetype picture.", "UTF-8 ou Windows-1252, colonnes séparées par des virgules, 256 Mio au plus. La première ligne nomme les colonnes, dans n’importe quel ordre : lastname firstname company office department title note phone mobile home voicemail email xmpp calendar web presence alert picturetype picture.";
    LOAD_GO = "Add these contacts", "Ajouter ces contacts";
    LOAD_LAST = "What came of the last file", "Ce qu’a donné le dernier fichier";
    LOAD_RUNS = "The desk is reading the file. Calls go on, and you may leave this page.", "Le poste lit le fichier. Les appels continuent, et vous pouvez quitter cette page.";
    LOAD_LOOK = "Look again", "Regarder à nouveau";
    LOAD_NOTHING = "No file was taken since the desk started.", "Aucun fichier n’a été pris depuis le démarrage du poste.";
    LOAD_BACK = "Back to the directories", "Retour aux annuaires";
    LOAD_OF = "File", "Fichier";
    LOAD_DIRECTORY = "Directory", "Annuaire";
    LOAD_ADDED = "Added", "Ajoutés";
    LOAD_REFUSED = "Rows left out", "Lignes laissées de côté";
    LOAD_UNKNOWN = "Columns not known", "Colonnes inconnues";
    LOAD_ROWS = "Rows left out, and why", "Lignes laissées de côté, et pourquoi";
    LOAD_FIRST = "The first {count} of them.", "Les {count} premières.";
    LOAD_ROW = "Line of the file", "Ligne du fichier";
    LOAD_COLUMN = "Column", "Colonne";
    LOAD_WHY = "Why", "Pourquoi";
    LOAD_UNNAMED = "a file without a name", "un fichier sans nom";

    LOAD_BUSY = "Another file of contacts is being taken. Wait until that is done.", "Un autre fichier de contacts est en cours. Attendez la fin.";
    LOAD_EMPTY = "No file was chosen, or it is empty. Nothing was changed.", "Aucun fichier n’a été choisi, ou il est vide. Rien n’a été modifié.";
    LOAD_TOO_LARGE = "The file is larger than 256 MiB. Nothing was changed. Split it, or leave the pictures out.", "Le fichier dépasse 256 Mio. Rien n’a été modifié. Divisez-le, ou laissez les photos de côté.";
    LOAD_BROKEN_OFF = "The upload broke off. Nothing was changed; upload the file again.", "Le dépôt a été interrompu. Rien n’a été modifié ; déposez le fichier à nouveau.";
    LOAD_NO_ROOM = "There is not enough room for it on the disk. Nothing was changed.", "La place manque sur le disque. Rien n’a été modifié.";
    LOAD_NO_NAME = "Choose a directory, or give the new one a name of at most 128 bytes. Nothing was changed.", "Choisissez un annuaire, ou donnez au nouveau un nom de 128 octets au plus. Rien n’a été modifié.";
    LOAD_GONE = "This directory is not there any more. Nothing was changed.", "Cet annuaire n’existe plus. Rien n’a été modifié.";
    LOAD_KEPT = "A plugin keeps this directory: change it at its source. Nothing was changed.", "Un connecteur tient cet annuaire : modifiez-le à sa source. Rien n’a été modifié.";
    LOAD_NO_HEADER = "The first line of the file names no column that the desk knows; perhaps this is no CSV file. Nothing was changed.", "La première ligne du fichier ne nomme aucune colonne connue du poste ; ce n’est peut-être pas un fichier CSV. Rien n’a été modifié.";
    LOAD_SEMICOLONS = "The columns are separated by semicolons. Save the file again with commas. Nothing was changed.", "Les colonnes sont séparées par des points-virgules. Enregistrez à nouveau le fichier avec des virgules. Rien n’a été modifié.";
    LOAD_TABS = "The columns are separated by tabs. Save the file again with commas. Nothing was changed.", "Les colonnes sont séparées par des tabulations. Enregistrez à nouveau le fichier avec des virgules. Rien n’a été modifié.";
    LOAD_TWICE = "The column {column} stands twice in the first line. Nothing was changed.", "La colonne {column} figure deux fois dans la première ligne. Rien n’a été modifié.";
    LOAD_UTF_16 = "The file is UTF-16 (“Unicode text”). Save it again as “CSV UTF-8”. Nothing was changed.", "Le fichier est en UTF-16 (« Texte Unicode »). Enregistrez-le à nouveau en « CSV UTF-8 ». Rien n’a été modifié.";
    LOAD_NO_ANSWER = "The desk ended before the file was read. Nothing was changed; upload it again.", "Le poste s’est arrêté avant d’avoir lu le fichier. Rien n’a été modifié ; déposez-le à nouveau.";
    LOAD_CANCELLED = "The desk did not take the file. Nothing was changed.", "Le poste n’a pas pris le fichier. Rien n’a été modifié.";
    LOAD_FULL = "The directory would hold too many contacts. Nothing was changed.", "L’annuaire contiendrait trop de contacts. Rien n’a été modifié.";

    ROW_ENDLESS = "it has no end, perhaps a quote is not closed; nothing after it was read", "elle n’a pas de fin, un guillemet n’est peut-être pas fermé ; rien n’a été lu après";
    ROW_CELLS = "it has {cells} cells, the first line has {columns}", "elle a {cells} cellules, la première ligne en a {columns}";
    ROW_EMPTY = "it is empty", "elle est vide";
    ROW_TOO_LONG = "the text has {bytes} bytes, {most} at most are kept", "le texte a {bytes} octets, {most} au plus sont gardés";
    ROW_CONTROL = "the text has a character that cannot be kept", "le texte contient un caractère impossible à garder";
    ROW_ALERT = "“{found}” is none of a r b d n f s", "« {found} » n’est pas l’une des lettres a r b d n f s";
    ROW_PRESENCE = "“{found}” is none of true false yes no 1 0", "« {found} » n’est pas l’une des valeurs true false yes no 1 0";
    ROW_PICTURE_TYPE = "“{found}” is none of jpg, png, gif", "« {found} » n’est pas l’un des types jpg, png, gif";
    ROW_NO_PICTURE = "it is no JPG, PNG or GIF", "elle n’est pas en JPG, PNG ou GIF";
    ROW_OTHER_PICTURE = "it is {found}, picturetype says {said}", "elle est en {found}, picturetype dit {said}";
    ROW_PICTURE_LARGE = "it has more than {most} bytes", "elle dépasse {most} octets";
    ROW_PICTURE_ENCODING = "it is not in base64", "elle n’est pas en base64";
    ROW_PICTURE_PIXELS = "it has too many pixels: {width} × {height}", "elle a trop de pixels : {width} × {height}";
    ROW_PICTURE_BROKEN = "it cannot be read", "elle ne peut pas être lue";
}
