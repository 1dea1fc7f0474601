"""Judges recordings of speech: for `make audio-report` (tests/src/audio_report/score.rs).

Reads one JSON object a line: {"reference", "heard"}: WAV files, 16 bit mono; {"offset"}: seconds from the first sample of
the reference being spoken to the first sample heard; {"wide"}: whether speech above 4 kHz counts. Writes one JSON object
a line: delay_ms (the median), spread_ms (its 5th to 95th percentile), pesq, and visqol where asked for.
The delay is found by cross-correlation of pieces of 600 ms; a piece that is heard too badly to be found does not count.
"""

import json
import sys
from importlib.metadata import version

import numpy as np
from pesq import pesq
from scipy.io import wavfile
from scipy.signal import resample_poly

PIECE, STEP = 0.6, 0.3
# Delays looked for, in seconds: sound is never heard before it is spoken.
LEAST, MOST = -0.02, 2.5
# How alike two pieces must be for their delay to be believed.
ALIKE = 0.5


def read(path, rate):
    found, samples = wavfile.read(path)
    samples = samples.astype(float)
    common = np.gcd(found, rate)
    return resample_poly(samples, rate // common, found // common) if found != rate else samples


def delays(reference, heard, rate, offset):
    """The delay of each piece, in seconds."""
    loud = np.sqrt(np.mean(reference**2)) / 3
    size, found = int(PIECE * rate), []
    for start in range(0, len(reference) - size, int(STEP * rate)):
        piece = reference[start : start + size]
        if np.sqrt(np.mean(piece**2)) < loud:
            continue
        first = start + int((LEAST - offset) * rate)
        last = start + size + int((MOST - offset) * rate)
        if first >= len(heard) or last <= 0:
            continue
        around = heard[max(first, 0) : last]
        if len(around) < size:
            continue
        length = 1 << int(np.ceil(np.log2(len(around) + size)))
        product = np.fft.irfft(np.fft.rfft(around, length) * np.conj(np.fft.rfft(piece, length)), length)
        product = product[: len(around) - size + 1]
        sums = np.concatenate(([0.0], np.cumsum(around**2)))
        energy = np.sqrt(np.maximum(sums[size:] - sums[:-size], 1.0) * np.sum(piece**2))
        alike = product / np.maximum(energy, 1.0)
        best = int(np.argmax(alike))
        if alike[best] >= ALIKE:
            found.append((max(first, 0) + best - start) / rate + offset)
    return np.array(found)


def judge(wish, visqol):
    rate = 16_000 if wish["wide"] else 8_000
    reference, heard = read(wish["reference"], rate), read(wish["heard"], rate)
    found = delays(reference, heard, rate, wish["offset"])
    if len(found) == 0:
        return {"delay_ms": None, "spread_ms": None, "pesq": 1.0, "visqol": None}
    delay = float(np.median(found))
    # The same moment first in both: what is left to find is what changed on the way.
    first = int(round((delay - wish["offset"]) * rate))
    cut = heard[first:] if first >= 0 else np.concatenate((np.zeros(-first), heard))
    cut = cut[: len(reference)]
    cut = np.concatenate((cut, np.zeros(len(reference) - len(cut))))
    whole = lambda samples: np.clip(samples, -32768, 32767).astype(np.int16)
    score = pesq(rate, whole(reference), whole(cut), "wb" if wish["wide"] else "nb", on_error=1)
    spread = float(np.percentile(found, 95) - np.percentile(found, 5))
    answer = {"delay_ms": 1000 * delay, "spread_ms": 1000 * spread, "pesq": max(float(score), 1.0), "visqol": None}
    if visqol:
        # It knows speech at 16 kHz only.
        up = 16_000 // rate
        answer["visqol"] = visqol.measure_from_arrays(
            *(resample_poly(s, up, 1) / 32768 for s in (reference, cut)), 16_000
        ).moslqo
    return answer


def main():
    visqol = None
    if "--visqol" in sys.argv:
        from visqol import VisqolApi

        visqol = VisqolApi()
        visqol.create(mode="speech")
    print(json.dumps({"pesq": version("pesq"), "visqol": version("visqol-python")}), flush=True)
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line), visqol)), flush=True)


main()
