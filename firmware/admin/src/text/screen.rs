//! Words about the picture of the touchscreen.

use super::texts;

texts! {
    SCREEN = "Screen", "Écran";
    SCREEN_INTRO = "You see what the operator sees, callers’ names and numbers too, and can touch nothing. The operator is asked first, sees all the time that you watch, and can end it at once.", "Vous voyez ce que voit l’opérateur, noms et numéros des appelants compris, sans pouvoir toucher à rien. L’opérateur est d’abord consulté, voit à tout moment que vous regardez et peut y mettre fin aussitôt.";
    SCREEN_NOBODY = "Nobody watches the screen.", "Personne ne regarde l’écran.";
    SCREEN_NONE = "No screen is connected to the desk.", "Aucun écran n’est connecté au poste.";
    SCREEN_ASKED = "The operator has been asked. Waiting for the answer at the desk…", "La demande est affichée. En attente de la réponse de l’opérateur…";
    SCREEN_WATCHED = "You see the screen. The desk shows your name all the time.", "Vous voyez l’écran. Le poste affiche votre nom en permanence.";
    SCREEN_REFUSED = "The operator refused, or has ended it.", "L’opérateur a refusé, ou y a mis fin.";
    SCREEN_OTHER = "{name} watches the screen or has asked to. One at a time.", "{name} regarde l’écran ou l’a demandé. Une seule personne à la fois.";
    SCREEN_ASK = "Ask to watch", "Demander à regarder";
    SCREEN_STOP = "Stop", "Arrêter";
    SCREEN_PICTURE = "The touchscreen now; the picture is coming", "L’écran tactile en ce moment ; l’image arrive";
    SCREEN_ENDED = "You do not watch the screen any more.", "Vous ne regardez plus l’écran.";
    SCREEN_NOT_ASKED = "The operator was not asked: no screen is connected, or somebody else watches it.", "L’opérateur n’a pas été consulté : aucun écran n’est connecté, ou quelqu’un d’autre le regarde.";
    SCREEN_NO_PICTURE = "There is no picture for you.", "Il n’y a pas d’image pour vous.";
}
