//! The sound in the settings: how loud it is, and what a test does.

use ipc::{SoundLevels, SoundTest, SoundTestEnd, SoundTestState, SoundTestView, SoundView, View};

use super::empty;

const fn over(test: SoundTest, end: SoundTestEnd) -> SoundTestView {
    SoundTestView { test, state: SoundTestState::Over(end) }
}

/// The operator is listened to.
pub const SOUND_RECORDING: SoundTestView = SoundTestView {
    test: SoundTest::HearBack,
    state: SoundTestState::Recording { ms: 2_100, of_ms: 5_000, loudest_dbfs: -12 },
};
/// The operator hears what was said.
pub const SOUND_BACK: SoundTestView = SoundTestView {
    test: SoundTest::HearBack,
    state: SoundTestState::PlayingBack { ms: 3_700, of_ms: 5_000, loudest_dbfs: -12 },
};
/// Nothing was said.
pub const SOUND_NOTHING: SoundTestView =
    over(SoundTest::HearBack, SoundTestEnd::Done { loudest_dbfs: Some(-71) });
/// It was shouted.
pub const SOUND_LOUD: SoundTestView = over(SoundTest::HearBack, SoundTestEnd::Done { loudest_dbfs: Some(0) });
/// The microphone is muted.
pub const SOUND_MUTED: SoundTestView = over(SoundTest::HearBack, SoundTestEnd::MicrophoneMuted);
/// There is a call.
pub const SOUND_CALL: SoundTestView = over(SoundTest::Speaker, SoundTestEnd::Call);

/// So loud are microphone and loudspeaker, and this is the test.
#[must_use]
pub fn sound((input_dbfs, output_dbfs): (i8, i8), test: Option<SoundTestView>) -> SoundView {
    SoundView { levels: Some(SoundLevels { input_dbfs, output_dbfs }), test }
}

/// A desk at rest whose microphone is muted.
#[must_use]
pub fn muted() -> View {
    let mut view = empty();
    view.operator.muted = true;
    view
}
