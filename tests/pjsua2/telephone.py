"""A telephone by PJSUA2: told by lines on standard input, says by lines on standard output what happens.

Its settings come as one line of JSON first. Everything runs on one thread: PJSUA2's callbacks come while it is
polled, and what is typed is read between two polls.
"""

import json
import queue
import sys
import threading

import pjsua2 as pj

MANDATORY = 2  # PJMEDIA_SRTP_MANDATORY
TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}


def say(*words):
    print(*words, flush=True)


class Call(pj.Call):
    """One call: speaks the tone, and records what it hears, whenever there is sound."""

    def __init__(self, phone, call_id=pj.PJSUA_INVALID_ID):
        pj.Call.__init__(self, phone.account, call_id)
        self.phone = phone

    def onCallState(self, _):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.phone.call = self
            say("confirmed", self.getId())
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say("disconnected", self.getId(), info.lastStatusCode)

    def onCallMediaState(self, _):
        # What it refers to lives no longer than the information itself.
        info = self.getInfo()
        for media in info.media:
            active = media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            )
            if media.type == pj.PJMEDIA_TYPE_AUDIO and active:
                sound = self.getAudioMedia(media.index)
                self.phone.tone.startTransmit(sound)
                sound.startTransmit(self.phone.ear)
            say("media", self.getId(), media.status)

    def onDtmfDigit(self, digit):
        say("digit", digit.digit)

    def onCallTransferRequest(self, transfer):
        say("referred", transfer.dstUri)
        transfer.newCall = self.phone.keep(Call(self.phone))

    def onCallReplaceRequest(self, replace):
        say("replaced", self.getId())

    def onCallReplaced(self, replaced):
        replaced.newCall = self.phone.keep(Call(self.phone, replaced.newCallId))


class Account(pj.Account):
    """The registration, and the calls that come in."""

    def __init__(self, phone):
        pj.Account.__init__(self)
        self.phone = phone

    def onRegState(self, state):
        say("registered" if state.code == 200 else "not registered", state.code, state.reason)

    def onIncomingCall(self, incoming):
        call = self.phone.keep(Call(self.phone, incoming.callId))
        self.phone.call = call
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        call.answer(ringing)
        say("incoming", incoming.callId)


class Phone:
    """Everything of one telephone."""

    def __init__(self, settings):
        self.settings = settings
        self.calls = []
        self.call = None
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(self.endpoint_config())
        self.endpoint.audDevManager().setNullDev()
        self.open_transport()
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            wished = codec.codecId.startswith(settings["codec"] + "/")
            self.endpoint.codecSetPriority(codec.codecId, 255 if wished else 0)
        self.tone = pj.AudioMediaPlayer()
        self.tone.createPlayer(settings["tone"])
        self.ear = pj.AudioMediaRecorder()
        self.ear.createRecorder(settings["heard"])
        self.account = Account(self)
        self.account.create(self.account_config())

    def endpoint_config(self):
        config = pj.EpConfig()
        config.logConfig.level = 5
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = self.settings["trace"]
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.medConfig.clockRate = 16000
        config.medConfig.ecTailLen = 0
        config.medConfig.noVad = True
        return config

    def open_transport(self):
        config = pj.TransportConfig()
        config.boundAddress = self.settings["ip"]
        config.port = self.settings["sip"]
        if self.settings["transport"] == "tls":
            config.tlsConfig.CaListFile = self.settings["authority"]
            config.tlsConfig.verifyServer = True
        self.endpoint.transportCreate(TRANSPORTS[self.settings["transport"]], config)

    def account_config(self):
        settings = self.settings
        user, domain = settings["user"], settings["domain"]
        route = "sip:%s;transport=%s;lr" % (settings["exchange"], settings["transport"])
        config = pj.AccountConfig()
        config.idUri = "sip:%s@%s" % (user, domain)
        config.regConfig.registrarUri = "sip:%s" % domain
        config.regConfig.timeoutSec = 600
        config.sipConfig.proxies.append(route)
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", user, 0, settings["password"])
        )
        media = config.mediaConfig
        media.transportConfig.boundAddress = settings["ip"]
        media.transportConfig.port = settings["rtp"]
        media.transportConfig.portRange = 40
        if settings["transport"] == "tls":
            media.srtpUse = MANDATORY
            media.srtpSecureSignaling = 1
        return config

    def keep(self, call):
        """The library knows the call by its address only: it must not be collected."""
        self.calls.append(call)
        return call

    def do(self, word, rest):
        parameters = pj.CallOpParam(True)
        if word == "dial":
            self.call = self.keep(Call(self))
            self.call.makeCall("sip:%s@%s" % (rest, self.settings["domain"]), parameters)
        elif word == "accept":
            parameters.statusCode = 200
            self.call.answer(parameters)
        elif word == "hold":
            self.call.setHold(parameters)
        elif word == "retrieve":
            parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.call.reinvite(parameters)
        elif word == "hangup":
            self.call.hangup(parameters)

    def run(self, lines):
        while True:
            self.endpoint.libHandleEvents(10)
            try:
                line = lines.get_nowait()
            except queue.Empty:
                continue
            if not line:
                self.endpoint.libDestroy()
                return
            word, _, rest = line.strip().partition(" ")
            try:
                self.do(word, rest)
            except pj.Error as error:
                say("refused", word, error.info())


def main():
    settings = json.loads(sys.stdin.readline())
    lines = queue.Queue()

    def read():
        for line in sys.stdin:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    Phone(settings).run(lines)


main()
