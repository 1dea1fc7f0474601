//! Words about the clock of the desk.

use super::texts;

texts! {
    CLOCK_TITLE = "Clock", "Horloge";
    CLOCK_INTRO = "Opening hours, night service, reminders, the log, updates and the clock of the screen go by the time of one place: that of your house.", "Les horaires d’ouverture, le service de nuit, les rappels, le journal, les mises à jour et l’horloge de l’écran suivent l’heure d’un seul lieu : celle de votre maison.";
    CLOCK_NOW = "The desk’s clock now", "Heure du poste en ce moment";
    CLOCK_ZONE_NOW = "Its time zone", "Son fuseau horaire";
    CLOCK_MACHINE = "the time zone of its machine", "le fuseau horaire de sa machine";
    TIME_ZONE = "Time zone", "Fuseau horaire";
    TIME_ZONE_HINT = "Type the name of a large city of your country, in English, and choose: Europe/Paris, Asia/Tokyo. Empty: as the machine is set. Summer time is known.", "Tapez le nom d’une grande ville de votre pays, en anglais, et choisissez : Europe/Paris, Asia/Tokyo. Vide : comme la machine est réglée. L’heure d’été est connue.";
    TIME_ZONE_THERE = "There it is now: {time}", "Là-bas, il est : {time}";
    TIME_ZONE_SAVED = "Saved. The desk starts anew in this time zone as soon as no call is up, which takes some seconds; then you sign in again.", "Enregistré. Le poste redémarre dans ce fuseau horaire dès qu’aucun appel n’est en cours, ce qui prend quelques secondes ; vous vous connecterez alors de nouveau.";
    TIME_ZONE_WAITS = "{zone} is set: the desk starts anew in it as soon as no call is up.", "{zone} est réglé : le poste y redémarre dès qu’aucun appel n’est en cours.";
    TIME_ZONE_UNKNOWN = "{zone} is set, and this machine does not know it: the desk goes by the time zone of its machine. Choose another one.", "{zone} est réglé, mais cette machine ne le connaît pas : le poste suit le fuseau horaire de sa machine. Choisissez-en un autre.";
    TIME_ZONE_NONE = "No time zone is chosen, and this machine counts in universal time (UTC): its clock says {time}. Opening hours and reminders are off by as much as yours differs.", "Aucun fuseau horaire n’est choisi, et cette machine compte en temps universel (UTC) : son horloge indique {time}. Les horaires et les rappels sont décalés d’autant que votre heure en diffère.";
    TIME_ZONE_CHOOSE = "Choose the time zone", "Choisir le fuseau horaire";
    TIME_ZONE_NO_LIST = "This machine has no database of time zones (tzdata): none can be chosen.", "Cette machine n’a pas de base des fuseaux horaires (tzdata) : aucun ne peut être choisi.";
    WHY_TIME_ZONE = "This machine knows no time zone of that name. Choose one of the list, such as Europe/Paris.", "Cette machine ne connaît aucun fuseau horaire de ce nom. Choisissez-en un dans la liste, par exemple Europe/Paris.";
}
