//! The words about what is done to the microphone's sound, and what callers on hold hear.

use super::texts;

texts! {
    LINE_MUSIC = "Music on hold of this line", "Musique d’attente de cette ligne";
    LINE_MUSIC_HINT = "Where it has its own: upload it on the page Sound, or give the whole path of a WAV or Opus file on the box, ten minutes at most.", "Si elle a la sienne : déposez-la sur la page Son, ou donnez le chemin complet d’un fichier WAV ou Opus sur l’appareil, dix minutes au plus.";
    VOICE_TITLE = "Hands-free", "Mains libres";
    VOICE_INTRO = "With a handset or a headset nothing is done to the voice, and nothing delays it. With a loudspeaker and a microphone on the desk callers would hear themselves.", "Avec un combiné ou un casque, la voix n’est ni modifiée ni retardée. Avec un haut-parleur et un microphone sur le bureau, les appelants s’entendraient eux-mêmes.";
    VOICE_HANDS_FREE = "The operator speaks hands-free, by a loudspeaker and a microphone on the desk", "L’opérateur parle en mains libres, par un haut-parleur et un microphone sur le bureau";
    VOICE_ECHO = "Cancel the echo", "Supprimer l’écho";
    VOICE_NOISE = "Turn down steady noise", "Réduire le bruit de fond";
    VOICE_GAIN = "Turn up quiet voices", "Amplifier les voix faibles";
    VOICE_HINT = "These three count hands-free only, and take effect at once, in the middle of a call too. Echo cancelling delays the voice by 9 ms, noise reduction by 6 ms more.", "Ces trois réglages ne comptent qu’en mains libres et prennent effet aussitôt, même pendant un appel. La suppression de l’écho retarde la voix de 9 ms, la réduction du bruit de 6 ms de plus.";
}
