//! What the screen shows of the sound: one state made of four devices.
//!
//! A desk with a dead microphone is as dumb as one without a loudspeaker is deaf, and one whose ringer
//! fails misses calls: whichever fails is shown, with its name. One with a fall-back in use does not fail. Nothing is opened or retried here.

use ipc::AudioState;
use media::{DeviceState, Role};
use switchboard::Input;

use crate::bridge;

/// The last news of each device; `None` for one that is not used.
#[derive(Debug, Default)]
pub(crate) struct Audio {
    speaker: Option<AudioState>,
    microphone: Option<AudioState>,
    ringer: Option<AudioState>,
    notifier: Option<AudioState>,
}

impl Audio {
    /// Takes in the news of one device; gives back what is to be shown now.
    pub(crate) fn news(&mut self, role: Role, name: String, state: DeviceState) -> AudioState {
        let device = match role {
            Role::Speaker => &mut self.speaker,
            Role::Microphone => &mut self.microphone,
            Role::Ringer => &mut self.ringer,
            Role::Notifier => &mut self.notifier,
        };
        *device = Some(bridge::audio(name, state));
        self.shown()
    }

    /// The same while a telephone has the place of speaker and microphone (ACC-3), which rest and say nothing of it. Calls
    /// ring and messages chime on devices of the desk even then.
    pub(crate) fn news_beside_phone(
        &mut self,
        role: Role,
        name: String,
        state: DeviceState,
    ) -> Option<Input> {
        let lost = match &state {
            DeviceState::Lost { reason } => Some((name.clone(), reason.clone())),
            DeviceState::Open | DeviceState::Closed => None,
        };
        self.news(role, name, state);
        let failed = |state: &AudioState| matches!(state, AudioState::Failed { .. });
        match (role, lost) {
            (Role::Speaker | Role::Microphone, _) => None,
            (Role::Ringer | Role::Notifier, Some((device, reason))) => {
                Some(Input::RingerLost { device, reason })
            }
            (Role::Ringer | Role::Notifier, None) => {
                let fails = [&self.ringer, &self.notifier].into_iter().flatten().any(failed);
                (!fails).then_some(Input::RingerWorks)
            }
        }
    }

    /// The last news of a device.
    pub(crate) fn of(&self, role: Role) -> Option<&AudioState> {
        match role {
            Role::Speaker => &self.speaker,
            Role::Microphone => &self.microphone,
            Role::Ringer => &self.ringer,
            Role::Notifier => &self.notifier,
        }
        .as_ref()
    }

    fn shown(&self) -> AudioState {
        let failed = |state: &&AudioState| matches!(state, AudioState::Failed { .. });
        let speech = || [&self.speaker, &self.microphone].into_iter().flatten();
        let speech = speech().find(failed).or(speech().next());
        // The ringer is not what the operator connects and disconnects: only its failure is worth showing,
        // and not over a desk disconnected on purpose.
        match speech {
            Some(AudioState::Connected { .. }) | None => {
                let rings = [&self.ringer, &self.notifier].into_iter().flatten();
                rings.into_iter().find(failed).or(speech)
            }
            _ => speech,
        }
        .cloned()
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> DeviceState {
        DeviceState::Lost { reason: "no such device".into() }
    }

    #[test]
    fn ops_3_a_microphone_or_ringer_that_fails_is_shown_with_its_name_until_it_is_back() {
        for role in [Role::Microphone, Role::Ringer] {
            let mut audio = Audio::default();
            let fine = AudioState::Connected { device: "hw:0".into() };
            assert_eq!(audio.news(Role::Speaker, "hw:0".into(), DeviceState::Open), fine);
            let failed = AudioState::Failed { reason: "hw:9: no such device".into() };
            assert_eq!(audio.news(role, "hw:9".into(), lost()), failed);
            assert_eq!(audio.news(Role::Speaker, "hw:0".into(), DeviceState::Open), failed);
            assert_eq!(audio.news(role, "hw:9".into(), DeviceState::Open), fine);
        }
    }

    #[test]
    fn ops_3_the_ringer_alone_does_not_make_the_desk_connected() {
        let mut audio = Audio::default();
        assert_eq!(audio.news(Role::Ringer, "hw:0".into(), DeviceState::Open), AudioState::Disconnected);
    }

    #[test]
    fn acc_3_beside_a_telephone_a_ringer_that_fails_is_told_and_what_rests_is_not() {
        let mut audio = Audio::default();
        let mut news = |role, state| audio.news_beside_phone(role, "hw:9".into(), state);
        for role in [Role::Speaker, Role::Microphone] {
            assert_eq!(news(role, DeviceState::Closed), None);
            assert_eq!(news(role, lost()), None);
        }
        let told = Input::RingerLost { device: "hw:9".into(), reason: "no such device".into() };
        assert_eq!(news(Role::Ringer, lost()), Some(told.clone()));
        assert_eq!(news(Role::Notifier, lost()), Some(told));
        assert_eq!(news(Role::Ringer, DeviceState::Open), None, "the other one is not back");
        assert_eq!(news(Role::Notifier, DeviceState::Open), Some(Input::RingerWorks));
    }

    #[test]
    fn ops_3_a_desk_disconnected_on_purpose_is_shown_so_whatever_the_ringer_does() {
        let mut audio = Audio::default();
        audio.news(Role::Ringer, "hw:9".into(), lost());
        audio.news(Role::Microphone, "hw:0".into(), DeviceState::Closed);
        let shown = audio.news(Role::Speaker, "hw:0".into(), DeviceState::Closed);
        assert_eq!(shown, AudioState::Disconnected);
    }
}
