"""Places calls with PJSUA2 for `make bench`: a datagram says `dial`, `hangup` or `end`.

Its settings are one argument, JSON. Nothing is measured here: that is done on the wire, in the same way as for
everybody else. Everything runs on one thread, so that a message is answered as soon as it is there.
"""

import json
import socket
import sys

import pjsua2 as pj


class Call(pj.Call):
    """A call that is nothing but its signalling."""


def endpoint(settings):
    config = pj.EpConfig()
    config.logConfig.level = 3
    config.logConfig.consoleLevel = 3
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.ecTailLen = 0
    point = pj.Endpoint()
    point.libCreate()
    point.libInit(config)
    point.audDevManager().setNullDev()
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    transport.port = settings["sip"]
    point.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    point.libStart()
    # One codec, as the far end has: an INVITE that fits a datagram.
    for codec in point.codecEnum2():
        point.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith("PCMA/") else 0)
    return point


def account(settings):
    config = pj.AccountConfig()
    user = settings["user"]
    config.idUri = "sip:%s@%s" % (user, settings["domain"])
    config.sipConfig.proxies.append("sip:%s;lr" % settings["exchange"])
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, settings["password"]))
    config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    config.mediaConfig.transportConfig.port = settings["rtp"]
    made = pj.Account()
    made.create(config)
    return made


def main():
    settings = json.loads(sys.argv[1])
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    control.bind(("127.0.0.1", settings["control"]))
    control.setblocking(False)
    point, caller, call = endpoint(settings), None, None
    caller = account(settings)
    print("ready", flush=True)
    target = "sip:%s@%s" % (settings["target"], settings["domain"])
    while True:
        point.libHandleEvents(5)
        try:
            word = control.recv(64)
        except BlockingIOError:
            continue
        parameters = pj.CallOpParam(True)
        if word == b"dial":
            call = Call(caller)
            call.makeCall(target, parameters)
        elif word == b"hangup":
            call.hangup(parameters)
        else:
            break
    point.libDestroy()


main()
