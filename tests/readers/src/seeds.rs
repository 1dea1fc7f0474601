//! Inputs that the readers take, from which a fuzzer begins: what our own side says, and what servers and devices are known
//! to say.

use controls::samples::{BOOT_KEYBOARD, HANDSET, HEADSET};
use controls::table::OWN;
use ipc::{Command, FromDesk, FromPlugins, Query, ToDesk, ToPlugins, encode};
use media::{Codec, payloads};
use serde::Serialize;
use store::Settings;

use crate::{package, provisioning, sound};

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// With a byte before each that says how it is meant.
fn behind(way: u8, all: &[&[u8]]) -> Vec<Vec<u8>> {
    all.iter().map(|bytes| [&[way][..], bytes].concat()).collect()
}

fn framed<T: Serialize>(way: u8, messages: &[T]) -> Vec<u8> {
    let frames =
        messages.iter().map(|message| encode(message, usize::MAX).expect("our own words can be written"));
    [vec![way], frames.flatten().collect()].concat()
}

pub(crate) fn frame() -> Vec<Vec<u8>> {
    let hello = ToDesk::Hello { protocol: ipc::PROTOCOL, program: "frontdesk-ui".into(), follow: true };
    let queries =
        [Query::View, Query::Diagnostics, Query::People { text: "Zoë".into() }, Query::Marks { id: 3 }];
    let mut desk = vec![
        hello,
        ToDesk::Command { seq: 1, command: Command::Dial { number: "0301234567".into(), line: None } },
    ];
    desk.extend(queries.into_iter().map(|query| ToDesk::Query { seq: 2, query }));
    desk.push(ToDesk::Picture { png: "iVBORw0KGgo=".into() });
    let said = [
        FromDesk::Welcome { version: "0.1.0".into() },
        FromDesk::View(Box::default()),
        FromDesk::Done { seq: 1, result: Ok(()) },
        FromDesk::Refused { reason: "another version".into() },
    ];
    let plugins =
        [ToPlugins::Hello { protocol: ipc::PLUGIN_PROTOCOL, program: "frontdeskd".into(), follow: true }];
    let from_plugins = [FromPlugins::Welcome { version: "0.1.0".into() }];
    vec![
        framed(0, &desk),
        framed(21, &said),
        framed(2, &plugins),
        framed(3, &from_plugins),
        framed(252, &desk[1..]),
    ]
}

pub(crate) fn contacts() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "lastname,firstname,company,office,department,title,note,phone,mobile,home,voicemail,email,xmpp,calendar,web,presence,alert\r\n\
         M\u{fc}ller,Zo\u{eb},\"Acme, Inc.\",1.02,Sales,Head,\"two\nlines\",+49 (0)30 123-45,0171 1,,99,z@acme.example,z@x.example,,https://acme.example,yes,\"a r,b\"\r\n",
        "\u{feff}phone,colour\n'=1+1,red\n\n12,\"green\n",
        "lastname;firstname\nA;B\n",
        // The first bytes of a PNG.
        "lastname,picturetype,picture\r\nFace,png,\"iVBORw0K\r\nGgo=\"\r\n",
    ]);
    all.push(b"lastname,phone\nM\xfcller,'+33 1\n".to_vec());
    all
}

pub(crate) fn number() -> Vec<Vec<u8>> {
    let lines = [
        "+49 (0)30 123456\nM\u{fc}ller \u{152}uvre\n030123456",
        "23\nStra\u{df}e\n0049123",
        "0049301234567\nA B\na",
    ];
    (0..64_u8).step_by(9).flat_map(|plan| behind(plan, &lines.map(str::as_bytes))).collect()
}

pub(crate) fn settings() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "[operator]\nname = \"Accueil\"\n[rules]\nhold_alarm_s = 90\n[numbers]\noutside_prefix = \"0\"\n\
         [[accounts]]\nuser = \"desk\"\ndomain = \"pbx.example\"\npassword = \"s3cret\"\nregistrar = \"192.0.2.1:5070\"\n\
         [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n\
         [[directories]]\nname = \"Staff\"\nlocal = true\nline = \"5550100\"\nnote = \"Bonjour\"\n",
        "[tls]\n[voice]\n[crm]\n[timers]\n[timetable]\n",
    ]);
    all.push(Settings::default().to_toml(true).into_bytes());
    all
}

pub(crate) fn hid() -> Vec<Vec<u8>> {
    let reports: &[u8] = &[3, 1, 1, 0, 3, 1, 0, 0x10, 2, 9, 0, 0, 3, 0, 1, 1, 3, 0, 0, 0];
    let of = |descriptor: &[u8]| [&(descriptor.len() as u16).to_be_bytes()[..], descriptor, reports].concat();
    [HEADSET, HANDSET, BOOT_KEYBOARD].map(of).to_vec()
}

pub(crate) fn device_table() -> Vec<Vec<u8>> {
    texts(&[
        OWN,
        "[[device]]\nusb = \"0b0e:*\"\nkind = \"phone\"\nhook = \"button\"\nmute = \"state\"\necho = false\n\
         keys = { KEY_F1 = \"hold\" }\nleds = { ring = \"LED_SCROLLL\" }\n",
    ])
}

pub(crate) fn rauc() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"compatible":"frontdesk-amd64","variant":"","booted":"A","boot_primary":"rootfs.1","slots":[
           {"rootfs.1":{"class":"rootfs","device":"/dev/b","type":"raw","bootname":"B","state":"inactive","boot_status":"good",
            "slot_status":{"bundle":{"version":"2"},"installed":{"timestamp":"2026-11-27T20:00:00Z"}}}},
           {"rootfs.0":{"class":"rootfs","bootname":"A","state":"booted","boot_status":"bad","slot_status":{}}}]}"#,
        r#"{"compatible":"frontdesk-amd64","version":"2","description":null,"build":"","hooks":[],"images":[]}"#,
        " 40% Checking slot rootfs.1",
        "100% Installing done.",
    ])
}

pub(crate) fn version() -> Vec<Vec<u8>> {
    texts(&["1.0-rc.1\n1.0-rc.2\n1.0", "0.9\n0.10\n0.10.0+build", "1.2.3-a.1.b\n1.2.3-a.2\n1.2.4"])
}

/// The manifests of our own connectors.
const MANIFESTS: [&str; 10] = [
    include_str!("../../../plugins/carddav/connector.toml"),
    include_str!("../../../plugins/hubspot/connector.toml"),
    include_str!("../../../plugins/ldap/connector.toml"),
    include_str!("../../../plugins/microsoft-graph/connector.toml"),
    include_str!("../../../plugins/odoo/connector.toml"),
    include_str!("../../../plugins/rest-crm/connector.toml"),
    include_str!("../../../plugins/salesforce/connector.toml"),
    include_str!("../../../plugins/template/connector.toml"),
    include_str!("../../../plugins/url-crm/connector.toml"),
    include_str!("../../../plugins/web-directory/connector.toml"),
];

pub(crate) fn plugin_package() -> Vec<Vec<u8>> {
    let empty = b"\0asm\x0d\0\x01\0".to_vec();
    let with_section = [&empty[..], &[1, 2, 3, 4, 0, 5, 4, b'n', b'a', b'm', b'e']].concat();
    let packed = package::pack(&with_section, "manifest = 1").expect("a component");
    let sealed = package::seal(&packed, "a signature").expect("a package");
    vec![package::pack(&empty, "").expect("a component"), packed, sealed]
}

pub(crate) fn plugin_manifest() -> Vec<Vec<u8>> {
    texts(&MANIFESTS)
}

pub(crate) fn token() -> Vec<Vec<u8>> {
    let good = [
        &br#"{"access_token":"abc","token_type":"Bearer","expires_in":"3600","refresh_token":"def","scope":"x"}"#[..],
        br#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://login.example/device",
            "verification_uri_complete":"https://login.example/device?c=1","expires_in":1800,"interval":5}"#,
        br#"{"device_code":"d","user_code":"1","verification_url":"http://a/"}"#,
    ];
    let status = |bytes: &[u8]| [&[0, 0][..], bytes].concat();
    good.map(status).to_vec()
}

/// An element.
fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("a short element");
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, body.to_vec()].concat()
}

pub(crate) fn ldap() -> Vec<Vec<u8>> {
    let message = |rest: &[u8]| tlv(0x30, &[&[2, 1, 7][..], rest].concat());
    let done = |tag: u8| tlv(tag, &[&[10, 1, 0][..], &tlv(4, b""), &tlv(4, b"fine")].concat());
    let values = tlv(0x31, &[tlv(4, b"Ann"), tlv(4, b"\xff\xfe")].concat());
    let attribute = tlv(0x30, &[tlv(4, b"cn"), values].concat());
    let entry = tlv(0x64, &[tlv(4, "cn=Zo\u{eb}".as_bytes()), tlv(0x30, &attribute)].concat());
    let cookie = tlv(0x30, &[&[2, 1, 7][..], &tlv(4, b"more")].concat());
    let control = tlv(0x30, &[tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, &cookie)].concat());
    let with_control = [done(0x65), tlv(0xa0, &control)].concat();
    let referral =
        tlv(0x65, &[&[10, 1, 10][..], &tlv(4, b""), &tlv(4, b""), &tlv(0xa3, &tlv(4, b"ldap://a"))].concat());
    vec![
        [vec![1], message(&entry)].concat(),
        [vec![1], message(&with_control)].concat(),
        [vec![1], message(&referral)].concat(),
        [vec![1], message(&tlv(0x73, &tlv(4, b"ldap://elsewhere")))].concat(),
        [vec![0], message(&done(0x61))].concat(),
        [vec![2], message(&done(0x78))].concat(),
    ]
}

pub(crate) fn ldap_words() -> Vec<Vec<u8>> {
    texts(&[
        "(&(objectClass=person)(|(cn=*Ann*)(!(sn=M\\c3\\bcller)))(uid:dn:2.4.6:=x)(age>=3))",
        "ou=people,dc=example,dc=com",
        "cn=Before\\0dAfter\\, Inc.+uid=1;o=x",
        "",
    ])
}

pub(crate) fn dhcp() -> Vec<Vec<u8>> {
    let options: &[u8] = b"\x35\x01\x05\x42\x04boot\x00\x2b\x0f\x01\x0dhttps://a/b/c\x42\x02.x\xff\x01";
    let packet = provisioning::answer_with(options);
    let vendor = "https://pbx.example/desks/".bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let lease = format!(
        "ADDRESS=192.0.2.23\nSERVER_ADDRESS=192.0.2.1\nVENDOR_SPECIFIC=011a{vendor}\nOPTION_66=626f6f74\n"
    );
    let mut all = behind(0, &[&packet]);
    all.extend(behind(1, &[options]));
    all.extend(behind(2, &[lease.as_bytes()]));
    all.extend(behind(
        3,
        &[
            b"pbx.example",
            b"https://pbx.example/{id}/settings.toml?t=1#x",
            b"https://[2001:db8::1]:8443/a%20b/",
        ],
    ));
    all
}

pub(crate) fn xmpp() -> Vec<Vec<u8>> {
    behind(2, &[
        b"<presence xmlns='jabber:client' from='a@x.example/1' type=''><show>away</show><status>At &lt;lunch&gt;</status>\
          <priority>-5</priority></presence>",
        b"<iq xmlns='jabber:client' id='1' type='result'><query xmlns='jabber:iq:roster'>\
          <item jid='a@x.example' subscription='both'/><item jid='b@x.example' ask='subscribe' subscription='none'/></query></iq>",
        b"<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
        b"<message xmlns='jabber:client'><body><![CDATA[<a>]]></body></message>",
    ])
}

/// What happens in a call: its kind, and bytes.
fn step(what: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short packet");
    [&[what, length][..], bytes].concat()
}

pub(crate) fn stream() -> Vec<Vec<u8>> {
    let hum: Vec<i16> = (0..4_800).map(|n| ((f64::from(n) * 0.06).sin() * 8_000.0) as i16).collect();
    let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];
    let report = [&[0x80, 200, 0, 6][..], &[0; 24], &[0x81, 201, 0, 7], &[0, 0, 0, 9], &[0; 24]].concat();
    let mut all = Vec::new();
    for (at, codec) in codecs.into_iter().enumerate() {
        for agreed in [0, 4, 12, 16] {
            let mut call = vec![agreed | at as u8];
            for payload in payloads(codec, &hum).expect("a codec of ours") {
                call.extend(step(2, &payload));
                call.extend(step(6, &[0; 2]));
            }
            call.extend(step(3, &[5, 0x8a, 3, 0x20]));
            call.extend(step(4, &[60, 100, 130, 90]));
            call.extend(step(5, &report));
            call.extend(step(1, &report));
            call.extend(step(0, &[0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3]));
            call.extend(step(6, &[0; 14]));
            all.push(call);
        }
    }
    all
}

pub(crate) fn stun() -> Vec<Vec<u8>> {
    // An address of IPv4 and one of IPv6 (RFC 8489 section 14.2), a refusal, and an attribute that is not known.
    let v4 = [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    let v6 = [&[0, 0x20, 0, 20, 0, 2, 0xa1, 0x47][..], &[0x21; 16]].concat();
    let refusal = [0, 9, 0, 8, 0, 0, 4, 1, b'N', b'o', b'!', b'!'];
    let old =
        [&[0, 1, 0, 8, 0, 1, 0, 9, 1, 2, 3, 4][..], &v4, &[0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]].concat();
    vec![
        [step(0, &v4), step(0x11, &v4)].concat(),
        [step(0, &v6), step(1, &v4)].concat(),
        step(2, &refusal),
        [step(0, &old), step(0xf1, &old)].concat(),
        [step(0x50, b""), step(0x0e, &v4)].concat(),
    ]
}

pub(crate) fn browser() -> Vec<Vec<u8>> {
    // A grey picture of 8 × 8.
    let begun = "{\"id\":3,\"result\":{\"targetId\":\"T\"}}\n{\"id\":4,\"result\":{\"sessionId\":\"S\"}}\n";
    let of_page = |method: &str, params: &str| {
        format!("{begun}{{\"sessionId\":\"S\",\"method\":\"{method}\",\"params\":{params}}}").into_bytes()
    };
    vec![
        of_page(
            "Page.screencastFrame",
            "{\"sessionId\":1,\"data\":\"/9j/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AQ//Z\"}",
        ),
        of_page("Page.javascriptDialogOpening", "{\"type\":\"confirm\",\"message\":\"Really?\\u0007\"}"),
        of_page("Page.frameNavigated", "{\"frame\":{\"url\":\"https://crm.example/2\"}}"),
        of_page("Page.loadEventFired", "{}"),
        of_page(
            "Target.targetCreated",
            "{\"targetInfo\":{\"targetId\":\"U\",\"openerId\":\"T\",\"type\":\"page\",\"url\":\"https://x/\"}}",
        ),
        of_page("Target.targetDestroyed", "{\"targetId\":\"T\"}"),
    ]
}

/// A page of an Ogg stream, without its sum.
fn page(flags: u8, granule: u64, packet: &[u8]) -> Vec<u8> {
    let segments = [vec![255; packet.len() / 255], vec![(packet.len() % 255) as u8]].concat();
    let head =
        [&b"OggS\0"[..], &[flags], &granule.to_le_bytes(), &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    [&head[..], &[segments.len() as u8], &segments, packet].concat()
}

pub(crate) fn music() -> Vec<Vec<u8>> {
    let hum: Vec<i16> = (0..4_800).map(|n| ((f64::from(n) * 0.06).sin() * 8_000.0) as i16).collect();
    let bytes: Vec<u8> = hum.iter().take(4_000).flat_map(|sample| sample.to_le_bytes()).collect();
    let wav = |channels: u8, rate: u32| {
        let format =
            [&[16, 0, 0, 0, 1, 0, channels, 0][..], &rate.to_le_bytes(), &[0; 4], &[2 * channels, 0, 16, 0]];
        let length = (bytes.len() as u32).to_le_bytes();
        [&b"RIFF\0\0\0\0WAVEfmt "[..], &format.concat(), b"data", &length, &bytes].concat()
    };
    let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
    let mut ogg = [page(2, 0, head), page(0, 0, b"OpusTags\0\0\0\0\0\0\0\0")].concat();
    let packets = payloads(Codec::Opus, &hum).expect("a codec of ours");
    for (at, packet) in packets.iter().enumerate() {
        let is_last = at + 1 == packets.len();
        ogg.extend(page(if is_last { 4 } else { 0 }, (at as u64 + 1) * 960, packet));
    }
    let mut all = behind(0, &[&wav(1, 8_000), &wav(2, 44_100), &sound::summed(&ogg)]);
    all.extend(behind(1, &[&ogg]));
    all
}
