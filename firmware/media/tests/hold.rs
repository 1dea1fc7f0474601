//! What callers on hold hear over loopback: music from a file, messages, and pips in place of what is broken.

mod desk;

use std::path::{Path, PathBuf};

use desk::{Desk, connect, rms, share, write_tone};
use media::{Codec, Ear, Event, Hold, SoundError, StreamId};

const MUSIC: f64 = 520.0;
const MESSAGE: f64 = 880.0;

/// A desk that holds by music, and a caller for each codec, all on hold.
fn desk_with_music(hold: impl FnOnce(&Path) -> Hold) -> Desk {
    Desk::with(Some(440.0), |config, dir| config.hold = hold(dir))
}

fn caller(desk: &Desk, id: StreamId, codec: Codec) -> Desk {
    let caller = Desk::new(None);
    connect(desk, &caller, id, codec);
    caller.media.listen(Ear::Stream(id)).expect("taken");
    caller
}

fn music(path: &Path, hz: f64) -> PathBuf {
    write_tone(path, hz, 16_000);
    path.to_owned()
}

fn ready(desk: &Desk) -> (PathBuf, u32) {
    desk.wait("the recording is ready", |event| match event {
        Event::SoundReady { path, length_ms } => Some((path, length_ms)),
        Event::SoundRefused { path, error } => panic!("{}: {error}", path.display()),
        _ => None,
    })
}

fn refused(desk: &Desk) -> SoundError {
    desk.wait("the recording is refused", |event| match event {
        Event::SoundRefused { error, .. } => Some(error),
        _ => None,
    })
}

fn announced(desk: &Desk, id: StreamId) -> bool {
    desk.wait("the message is over", |event| match event {
        Event::Announced { stream, complete } if stream == id => Some(complete),
        _ => None,
    })
}

#[test]
fn music_is_heard_on_hold_by_every_codec_round_and_round() {
    let desk = desk_with_music(|dir| Hold::Music { path: music(&dir.join("music.wav"), MUSIC) });
    assert_eq!(ready(&desk).1, 1000);
    for (n, codec) in [Codec::Pcmu, Codec::Pcma, Codec::Opus].into_iter().enumerate() {
        let id = StreamId(n as u64);
        let caller = caller(&desk, id, codec);
        // Two and a half times round.
        caller.until_heard(&format!("music by {codec:?}"), 2.5, |heard| {
            share(heard, MUSIC) > 0.9 && rms(heard) > 5000.0
        });
        desk.media.listen(Ear::Stream(id)).expect("taken");
        caller.until_heard("the operator", 0.5, |heard| share(heard, 440.0) > 0.9);
        desk.media.listen(Ear::Nobody).expect("taken");
        caller.until_heard("music again", 0.5, |heard| share(heard, MUSIC) > 0.9);
    }
}

#[test]
fn what_is_heard_on_hold_changes_while_calls_are_held() {
    let desk = Desk::new(None);
    let caller = caller(&desk, StreamId(1), Codec::Opus);
    let dir = tempfile::tempdir().expect("a directory");
    desk.media.hold(Hold::Music { path: music(&dir.path().join("a.wav"), MUSIC) }).expect("taken");
    ready(&desk);
    caller.until_heard("music", 0.5, |heard| share(heard, MUSIC) > 0.9);
    desk.media.hold(Hold::Music { path: music(&dir.path().join("b.wav"), MESSAGE) }).expect("taken");
    caller.until_heard("other music", 0.5, |heard| share(heard, MESSAGE) > 0.9);
    // A file is written anew under its name.
    desk.media.hold(Hold::Music { path: music(&dir.path().join("b.wav"), MUSIC) }).expect("taken");
    caller.until_heard("the new recording", 0.5, |heard| share(heard, MUSIC) > 0.9);
    desk.media.hold(Hold::Nothing).expect("taken");
    caller.until_heard("nothing", 1.0, |heard| rms(heard) < 1.0);
}

#[test]
fn a_broken_file_is_told_and_there_are_pips_instead() {
    let desk = desk_with_music(|dir| {
        let path = dir.join("broken.wav");
        std::fs::write(&path, b"RIFF\0\0\0\0WAVEfmt \xFF\xFF\xFF\xFF").expect("writes");
        Hold::Music { path }
    });
    assert!(matches!(refused(&desk), SoundError::NotWav { .. }));
    desk.media.hold(Hold::Music { path: "/nonexistent/music.wav".into() }).expect("taken");
    let error = refused(&desk);
    assert!(
        matches!(&error, SoundError::Unreadable { reason } if reason.contains("No such file")),
        "{error}"
    );
    let caller = caller(&desk, StreamId(1), Codec::Pcma);
    caller.until_heard("pips", 6.0, |heard| {
        let loud = heard.chunks_exact(480).filter(|frame| rms(frame) > 500.0).count();
        (10..=80).contains(&loud)
    });
}

#[test]
fn a_message_is_played_once_from_its_first_word_and_then_music() {
    let desk = desk_with_music(|dir| Hold::Music { path: music(&dir.join("music.wav"), MUSIC) });
    ready(&desk);
    let dir = tempfile::tempdir().expect("a directory");
    let message = music(&dir.path().join("message.wav"), MESSAGE);
    for (n, codec) in [Codec::Pcma, Codec::Opus].into_iter().enumerate() {
        let id = StreamId(n as u64);
        let caller = caller(&desk, id, codec);
        let other = self::caller(&desk, StreamId(50 + n as u64), codec);
        desk.media.announce(id, message.clone()).expect("taken");
        assert_eq!(ready(&desk), (message.clone(), 1000));
        assert!(announced(&desk, id));
        caller.until_heard("music after the message", 1.5, |heard| share(heard, MUSIC) > 0.9);
        let all = caller.everything();
        let pieces = |hz| all.chunks_exact(2400).filter(|p| rms(p) > 3000.0 && share(p, hz) > 0.7).count();
        // A second of it is twenty pieces, of which a little is lost at the edges.
        assert!((17..=21).contains(&pieces(MESSAGE)), "{codec:?}: {}", pieces(MESSAGE));
        assert!(share(&other.everything(), MESSAGE) < 0.01, "it was for one caller only");
    }
}

#[test]
fn a_message_ends_when_the_caller_is_answered_or_it_cannot_be_read() {
    let desk = Desk::new(Some(440.0));
    let id = StreamId(1);
    let caller = caller(&desk, id, Codec::Pcmu);
    let dir = tempfile::tempdir().expect("a directory");
    let long = dir.path().join("long.wav");
    desk::write_seconds(&long, MESSAGE, 8_000, 60);
    desk.media.announce(id, long.clone()).expect("taken");
    caller.until_heard("the message", 0.5, |heard| share(heard, MESSAGE) > 0.9);
    desk.media.listen(Ear::Stream(id)).expect("taken");
    assert!(!announced(&desk, id));
    caller.until_heard("the operator", 0.5, |heard| share(heard, 440.0) > 0.9);
    desk.media.listen(Ear::Nobody).expect("taken");
    // In the same moment, when the last of the talk is still dying away.
    desk.media.announce(id, long.clone()).expect("taken");
    caller.until_heard("the message", 0.5, |heard| share(heard, MESSAGE) > 0.9);
    desk.media.listen(Ear::Stream(id)).expect("taken");
    assert!(!announced(&desk, id));
    // To one who talks no message is played, nor to nobody.
    desk.media.announce(id, long.clone()).expect("taken");
    assert!(!announced(&desk, id));
    desk.media.announce(StreamId(9), long).expect("taken");
    assert!(!announced(&desk, StreamId(9)));
    desk.media.listen(Ear::Nobody).expect("taken");
    desk.media.announce(id, dir.path().join("none.wav")).expect("taken");
    assert!(matches!(refused(&desk), SoundError::Unreadable { .. }));
    assert!(!announced(&desk, id));
}
