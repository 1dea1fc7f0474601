//! One row of `make audio-report`: speech in which every tenth packet is lost, to our media engine and to baresip, the same
//! packets at the same moments; PESQ judges, which we did not write.

use frontdesk_tests::audio_report::{self, Network};
use frontdesk_tests::telephone::Codec;

#[test]
fn acc_6_with_a_tenth_of_the_packets_lost_the_desk_is_understood_better_than_baresip_and_sooner() {
    let [ours, theirs] = audio_report::compare(Codec::Pcma, |packets| Network::random_loss(packets, 10, 7));
    assert!(ours.score > theirs.score, "{ours:?} {theirs:?}");
    assert!(ours.delay_ms < theirs.delay_ms, "{ours:?} {theirs:?}");
}
