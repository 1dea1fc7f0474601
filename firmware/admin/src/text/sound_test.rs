//! The words about trying the sound at the desk, and measuring how loud it is there.

use super::texts;

texts! {
    SOUND_TEST = "Test at the desk", "Essai au poste";
    SOUND_TEST_INTRO = "Whoever sits at the desk hears it. To record and hear back, open the settings on the touchscreen. Calls come first: nothing is played while there is one.", "La personne au poste l’entend. Pour s’enregistrer et s’écouter, ouvrez les réglages sur l’écran tactile. Les appels d’abord : rien n’est joué pendant un appel.";
    SOUND_TEST_PLAY = "Play test sound at the desk", "Jouer un son d’essai au poste";
    SOUND_TEST_RING = "Ring once", "Faire sonner une fois";
    SOUND_TEST_CHIME = "Chime once", "Jouer le signal une fois";
    SOUND_MEASURE = "Measure for two seconds", "Mesurer pendant deux secondes";
    SOUND_TEST_PLAYS = "It sounds at the desk now.", "Cela sonne au poste en ce moment.";
    SOUND_TEST_CALL = "There is a call at the desk. Try again when there is none.", "Un appel est en cours au poste. Réessayez quand il n’y en aura plus.";
    SOUND_TEST_MUTED = "It would not be heard: muted at the desk, or turned all the way down.", "On ne l’entendrait pas : coupé au poste, ou volume à zéro.";
    SOUND_TEST_NO_DEVICE = "The sound device is not connected, or it fails.", "Le périphérique audio n’est pas connecté ou est en panne.";
    SOUND_TEST_TELEPHONE = "The operator speaks over a telephone; test the sound there.", "L’opérateur parle par un téléphone ; essayez le son là-bas.";
    SOUND_TEST_STOPPED = "It was stopped at the desk.", "L’essai a été arrêté au poste.";
    SOUND_TEST_NO_ANSWER = "The desk did not answer in time.", "Le poste n’a pas répondu à temps.";
    SOUND_MEASURED = "The loudest of two seconds: microphone {input} dBFS ({input_word}), loudspeaker {output} dBFS ({output_word}).", "Maximum sur deux secondes : microphone {input} dBFS ({input_word}), haut-parleur {output} dBFS ({output_word}).";
    SOUND_LEVEL_SILENT = "silent", "silence";
    SOUND_LEVEL_GOOD = "good", "bon";
    SOUND_LEVEL_LOUD = "too loud", "trop fort";
}
