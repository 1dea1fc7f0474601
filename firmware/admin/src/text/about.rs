//! Words about the program itself: version, licences, what it is made of.

use super::texts;

texts! {
    ABOUT_MENU = "About", "À propos";
    ABOUT_FREE = "Frontdesk is free software: you may use it, look into it, change it and pass it on under the GNU General Public License, version 3 or any later version. It comes without any warranty, as far as the law allows.", "Frontdesk est un logiciel libre : vous pouvez l’utiliser, l’étudier, le modifier et le transmettre selon la licence publique générale GNU, version 3 ou toute version ultérieure. Il est fourni sans aucune garantie, dans la limite permise par la loi.";
    ABOUT_SOURCE = "Whoever gave you these programs also gives you their source code: ask them for that of the version named here.", "Qui vous a remis ces programmes vous en remet aussi le code source : demandez-lui celui de la version indiquée ici.";
    ABOUT_MADE_OF = "What it is made of", "Ce qui le compose";
    ABOUT_CAPTION = "Libraries and fonts in the programs of the desk: {count}", "Bibliothèques et polices contenues dans les programmes du poste : {count}";
    ABOUT_TEXTS = "The text of every licence", "Le texte de chaque licence";
    ABOUT_NO_TEXTS = "The file with the text of every licence is not on this machine. It comes with the package frontdesk and with the image of the box.", "Le fichier contenant le texte de chaque licence n’est pas sur cette machine. Il est fourni avec le paquet frontdesk et avec l’image de l’appareil.";
}
