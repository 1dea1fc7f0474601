//! Our own valid documents and messages, the seeds of everything that is made wrong.

/// Requests and responses outside any dialog of the scene.
pub const MESSAGES: [&str; 6] = [
    "INVITE sip:+49301234;phone-context=x@[2001:db8::1]:5070;user=phone?Replaces=a%40b SIP/2.0\r\n\
     Via: SIP/2.0/UDP pbx.example;rport=5060;received=192.0.2.1;branch=z9hG4bK1, SIP / 2.0 / TCP [::1]:99\r\n\
     v: SIP/2.0/TLS b;x=\"q,\\\"\"\r\nFrom: \"M\u{fc}ller, \\\"X\\\"\" <sip:11@pbx.example>;tag=a\r\nt:\r\n <sip:23@desk.example>\r\n\
     Call-ID: c@pbx.example\r\nCSeq: 7 INVITE\r\nContact: <sip:1@a>;+sip.instance=\"<urn:uuid:0>\", sip:2@b;q=1\r\n\
     Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nP-Asserted-Identity: \"A, B\" <sip:1@a>, <tel:+1>\r\n\
     Diversion: <sip:4@pbx>;reason=no-answer;counter=2\r\nHistory-Info: <sip:4@pbx?Reason=SIP%3Bcause%3D302>;index=1\r\n\
     Alert-Info: <http://x/y>;info=alert-internal\r\nCall-Info: <sip:x>;answer-after=0\r\nMin-SE: 90\r\nSession-Expires: 1800;refresher=uac\r\n\
     Supported: timer, replaces, 100rel\r\nPrivacy: id\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKo\r\nFrom: <sip:p@x>;tag=1\r\n\
     To: <sip:100@192.0.2.1>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nl: 0\r\n\r\n",
    "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKr\r\nFrom: <sip:r@x>;tag=r\r\n\
     To: <sip:100@192.0.2.1>\r\nCall-ID: r\r\nCSeq: 1 INVITE\r\nReplaces: c1@pbx;to-tag=1;from-tag=2;early-only\r\n\
     Require: replaces\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKq\r\nFrom: <sip:100@pbx>;tag=1\r\n\
     To: <sip:100@pbx>;tag=2\r\nCall-ID: q\r\nCSeq: 1 REGISTER\r\nWWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\",\r\n \
     algorithm=SHA-256, qop=\"auth,auth-int\", stale=true\r\nContent-Length: 0\r\n\r\n",
    "NOTIFY sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKn\r\nFrom: <sip:100@pbx>;tag=1\r\n\
     To: <sip:100@192.0.2.1>\r\nCall-ID: n\r\nCSeq: 1 NOTIFY\r\nEvent: message-summary\r\nSubscription-State: active\r\n\
     Content-Type: application/simple-message-summary\r\nContent-Length: 72\r\n\r\n\
     Messages-Waiting: yes\r\nMessage-Account: sip:99@pbx\r\nVoice-Message: 2/8\r\n",
    "REFER sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.9;branch=z9hG4bKf\r\nFrom: <sip:100@pbx>;tag=1\r\n\
     To: <sip:100@192.0.2.1>;tag=x\r\nCall-ID: f\r\nCSeq: 1 REFER\r\nr: <sip:5@pbx?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n\
     b: <sip:6@pbx>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
];

/// Media descriptions.
pub const DESCRIPTIONS: [&str; 3] = [
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nb=AS:80\r\nt=0 0\r\na=inactive\r\n\
     m=video 0 RTP/AVP 96\r\nm=audio 4000/2 RTP/AVP 107 9 0 101\r\nc=IN IP4 192.0.2.2/127\r\na=rtpmap:107 opus/48000/2\r\n\
     a=fmtp:107 useinbandfec=1;maxaveragebitrate=20000\r\na=rtpmap:101 telephone-event/48000\r\na=rtcp:4001 IN IP4 192.0.2.3\r\n\
     a=ptime:20\r\na=maxptime:40\r\na=sendrecv\r\n",
    "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n\
     a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendonly\r\na=rtcp-mux\r\n",
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n\
     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
     a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj KDR=1\r\n",
];

/// Documents of lamps (RFC 4235).
pub const DIALOGS: [&str; 2] = [
    "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"3\" state=\"partial\" entity=\"sip:23@pbx\">\
     <dialog id=\"a\" call-id=\"c\" local-tag=\"l\" remote-tag=\"r\" direction=\"recipient\"><state>early</state>\
     <local><identity display=\"A &amp; B\">sip:23@pbx</identity><target uri=\"sip:23@192.0.2.9\"/></local></dialog></dialog-info>",
    "<d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' version='0' state='full' entity='sip:2110@pbx.example'>\
     <d:dialog id='1'><d:state>confirmed</d:state><d:remote><d:identity>sip:1@x</d:identity></d:remote></d:dialog>\
     <!-- c --><d:dialog id='2'><d:state>terminated</d:state></d:dialog></d:dialog-info>",
];

/// Documents of presence (RFC 3863, RFC 4480).
pub const PRESENCES: [&str; 2] = [
    "<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:23@pbx'>\
     <tuple id='a'><status><basic>open</basic></status><note>Desk</note></tuple>\
     <person id='p'><activities><meal/></activities><note>Back\n at 3</note></person></presence>",
    "<presence entity=\"pres:23@pbx\"><dm:person xmlns:dm='x' id='p'><rpid:activities xmlns:rpid='y'><rpid:dnd/>\
     </rpid:activities></dm:person><tuple id='t'><status><basic>closed</basic></status></tuple></presence>",
];

/// Status lines of transfers (RFC 3515).
pub const FRAGMENTS: [&str; 3] =
    ["SIP/2.0 100 Trying\r\n", "SIP/2.0 486 Busy Here\r\nContact: <sip:x>\r\n", "SIP/2.0 200 OK"];

/// Streams of messages and of keep-alives between them, each behind two bytes that say in what pieces it comes
/// ([`crate::readers::framing`]).
pub fn streams() -> Vec<Vec<u8>> {
    let [much, options, joins, refused, waiting, refer] = MESSAGES;
    let folded = "SIP/2.0 200 OK\r\nl:\r\n 3\r\n\r\nabc";
    [
        (0, 0, vec!["\r\n\r\n", options, "\r\n", refused]),
        (2, 40, vec![waiting, "\r\n\r\n", refer]),
        (255, 6, vec![much, joins, options]),
        (9, 0, vec![folded, "\n", waiting]),
    ]
    .into_iter()
    .map(|(one, other, parts)| [vec![one, other], parts.concat().into_bytes()].concat())
    .collect()
}
