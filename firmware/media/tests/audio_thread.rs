//! Law 6: the audio thread allocates nothing once it runs. A counting allocator watches the thread by its name
//! through a call, a ring, and devices that come and go.

mod desk;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use desk::{Desk, connect, share};
use media::{Codec, DeviceState, Ear, Event, Hold, Role, Seat, SoundTest, StreamId, TestEnd, TestState};

const AUDIO_THREAD: &[u8] = b"fd-audio";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Counts what the audio thread allocates and frees; otherwise the system's.
struct Counting;

/// True in a thread of that name. Asks the kernel, because anything kept per thread might itself allocate.
fn in_audio_thread() -> bool {
    let mut name = [0_u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name.starts_with(AUDIO_THREAD)
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if in_audio_thread() {
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if in_audio_thread() {
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_audio_thread_allocates_nothing_while_calls_and_devices_come_and_go() {
    // First of all: an allocation in a thread of that name is seen.
    let before = COUNT.load(Ordering::SeqCst);
    std::thread::Builder::new()
        .name("fd-audio".into())
        .spawn(|| drop(std::hint::black_box(vec![1_u8; 100])))
        .expect("a thread")
        .join()
        .expect("no panic");
    assert!(COUNT.load(Ordering::SeqCst) > before, "the counter counts");

    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    // Once something has been played the loops run.
    a.hear(0.2);
    b.hear(0.2);
    let start = COUNT.load(Ordering::SeqCst);
    let call = StreamId(1);
    connect(&a, &b, call, Codec::Opus);
    a.media.listen(Ear::Stream(call)).expect("taken");
    b.media.listen(Ear::Stream(call)).expect("taken");
    a.media.ring(Some(media::Ring::Bell)).expect("taken");
    a.until_heard("the other side", 1.0, |heard| share(heard, 660.0) > 0.5);
    for (role, name) in [
        (Role::Microphone, "none".to_owned()),
        (Role::Ringer, "none".to_owned()),
        (Role::Ringer, format!("wav:{}", a.rang.display())),
        (Role::Speaker, "wav:/nonexistent/x.wav".to_owned()),
        (Role::Speaker, format!("wav:{}", a.played.display())),
    ] {
        a.media.device(role, &name).expect("taken");
        a.wait("the device changes", |event| match event {
            Event::Device { role: of, state: DeviceState::Closed, .. } => (of == role).then_some(()),
            Event::Device { role: of, .. } => (of == role && name != "none").then_some(()),
            _ => None,
        });
    }
    // ALSA's own null device, which its standard configuration names.
    for role in [Role::Speaker, Role::Microphone] {
        a.media.device(role, "null").expect("taken");
        let state = a.wait("the null device", |event| match event {
            Event::Device { role: of, name, state } if of == role && name == "null" => Some(state),
            _ => None,
        });
        assert_eq!(state, DeviceState::Open);
    }
    b.hear(1.0);
    // Something was wrong: the last minute is told, and the audio thread knows nothing of it.
    a.media.mark(call).expect("taken");
    let seconds = a.wait("the last minute", |event| match event {
        Event::Marked { seconds, .. } => Some(seconds),
        _ => None,
    });
    assert!(seconds.iter().any(|second| second.packets_received > 0), "{seconds:?}");
    a.media.device(Role::Speaker, format!("wav:{}", a.played.display())).expect("taken");
    a.hear(0.5);
    a.media.connect_audio(false).expect("taken");
    a.media.connect_audio(true).expect("taken");
    a.hear(0.5);
    assert_eq!(COUNT.load(Ordering::SeqCst) - start, 0, "allocations in the audio thread, one call");
    conference(&a, &b, start);
}

/// Five members of every codec who come, are muted, go on hold to music, and return.
fn conference(a: &Desk, b: &Desk, start: u64) {
    a.media.device(Role::Microphone, format!("wav-loop:{}", b.hum.display())).expect("taken");
    let codecs = [Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::Opus, Codec::Opus];
    let mut seats = Vec::new();
    for (n, codec) in codecs.into_iter().enumerate() {
        let stream = StreamId(10 + n as u64);
        connect(a, b, stream, codec);
        seats.push(Seat { stream, muted: false });
    }
    // The other side holds them: two conferences joined by five wires would howl, and whose tone that is nobody knows.
    b.media.hold(Hold::Music { path: b.hum.clone() }).expect("taken");
    b.media.listen(Ear::Nobody).expect("taken");
    a.media.conference(&seats).expect("taken");
    a.media.listen(Ear::Conference).expect("taken");
    a.media.meter(true).expect("taken");
    a.media.hold(Hold::Music { path: b.hum.clone() }).expect("taken");
    a.until_heard("the music of the other side", 1.0, |heard| share(heard, 660.0) > 0.5);
    let away = seats.split_off(3);
    seats[0].muted = true;
    a.media.conference(&seats).expect("taken");
    a.hear(0.5);
    seats.extend(away);
    a.media.conference(&seats).expect("taken");
    a.media.mute_speaker(true).expect("taken");
    a.hear(0.5);
    a.media.conference(&[]).expect("taken");
    a.hear(0.3);
    assert_eq!(COUNT.load(Ordering::SeqCst) - start, 0, "allocations in the audio thread, a conference");
    tests_of_sound(a, start);
}

/// Notes, and what the operator says, recorded and played back.
fn tests_of_sound(a: &Desk, start: u64) {
    a.media.listen(Ear::Nobody).expect("taken");
    a.media.ring(None).expect("taken");
    a.media.mute_speaker(false).expect("taken");
    for (number, test) in [(1, SoundTest::Speaker), (2, SoundTest::Ringer), (3, SoundTest::HearBack)] {
        a.media.test_sound(number, test).expect("taken");
        let end = a.wait("the test is over", |event| match event {
            Event::Test { number: of, state: TestState::Over(end) } if of == number => Some(end),
            _ => None,
        });
        assert!(matches!(end, TestEnd::Done { .. }), "{test:?}: {end:?}");
    }
    assert_eq!(
        COUNT.load(Ordering::SeqCst) - start,
        0,
        "allocations in the audio thread, tests of the sound"
    );
}
