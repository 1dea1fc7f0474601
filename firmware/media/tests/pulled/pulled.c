/* A sound device that a test can pull out and put back: an external plugin of ALSA, with a clock of its own.
 *
 *   pcm_type.pulled { lib "DIR/libasound_module_pcm_pulled.so" }
 *   pcm.headset { type pulled folder "DIR/headset" hz 440 }
 *
 * In the folder: while there is a file `there` the device is plugged in; while there is a file `blocks` a write or read
 * does not return; while there is a file `silent` its clock stands still. What is played is appended to the file
 * `played`, in records: the monotonic time at which the first sample sounds (ns, 64 bit), how many there are (32 bit),
 * the samples (16 bit). What is recorded is a sine at `hz`, which is what it would be at that time.
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define RATE 48000

struct pulled {
    snd_pcm_ioplug_t io;
    char *folder;
    FILE *played;
    double hz;
    int64_t started;     /* ns; 0 while stopped */
    uint64_t moved;      /* frames transferred since the start */
    snd_pcm_sframes_t at;
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int has(struct pulled *p, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    return access(path, F_OK) == 0;
}

static int start(snd_pcm_ioplug_t *io)
{
    struct pulled *p = io->private_data;
    p->started = now();
    return 0;
}

static int stop(snd_pcm_ioplug_t *io)
{
    struct pulled *p = io->private_data;
    p->started = 0;
    return 0;
}

static int prepare(snd_pcm_ioplug_t *io)
{
    struct pulled *p = io->private_data;
    p->started = 0;
    p->moved = 0;
    p->at = 0;
    return has(p, "there") ? 0 : -ENODEV;
}

/* Frames since the start; fails on underrun and overrun, and when the device is not there any more. */
static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
    struct pulled *p = io->private_data;
    if (!has(p, "there"))
        return -ENODEV;
    if (!p->started || has(p, "silent"))
        return p->at;
    uint64_t frames = (now() - p->started) * RATE / 1000000000LL;
    if (io->stream == SND_PCM_STREAM_PLAYBACK ? frames > p->moved : frames > p->moved + io->buffer_size)
        return -EPIPE;
    p->at = frames;
    return p->at;
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
                                  snd_pcm_uframes_t size)
{
    struct pulled *p = io->private_data;
    int16_t *samples = (int16_t *)((char *)areas->addr + (areas->first + areas->step * offset) / 8);
    while (has(p, "blocks"))
        usleep(5000);
    if (!has(p, "there"))
        return -ENODEV;
    int64_t begin = (p->started ? p->started : now()) + p->moved * 1000000000LL / RATE;
    if (io->stream == SND_PCM_STREAM_CAPTURE) {
        for (snd_pcm_uframes_t n = 0; n < size; n++) {
            double seconds = fmod((begin + n * 1e9 / RATE) / 1e9, 1000.0);
            samples[n] = 10000.0 * sin(2.0 * M_PI * p->hz * seconds);
        }
    } else {
        uint32_t count = size;
        fwrite(&begin, sizeof begin, 1, p->played);
        fwrite(&count, sizeof count, 1, p->played);
        fwrite(samples, sizeof *samples, size, p->played);
        fflush(p->played);
    }
    p->moved += size;
    return size;
}

static int close_device(snd_pcm_ioplug_t *io)
{
    struct pulled *p = io->private_data;
    if (p->played)
        fclose(p->played);
    close(io->poll_fd);
    free(p->folder);
    free(p);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = start, .stop = stop, .prepare = prepare, .pointer = pointer, .transfer = transfer, .close = close_device,
};

static int constrain(snd_pcm_ioplug_t *io)
{
    static const unsigned int access[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
    static const unsigned int format[] = { SND_PCM_FORMAT_S16 };
    int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
    if (err >= 0) err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
    if (err >= 0) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
    if (err >= 0) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, RATE, RATE);
    if (err >= 0) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 2 * 480, 2 * 4800);
    if (err >= 0) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
    return err;
}

SND_PCM_PLUGIN_DEFINE_FUNC(pulled)
{
    (void)root;
    const char *folder = NULL;
    long hz = 0;
    snd_config_iterator_t i, next;
    snd_config_for_each(i, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(i);
        const char *id;
        if (snd_config_get_id(entry, &id) < 0)
            continue;
        if (strcmp(id, "folder") == 0)
            snd_config_get_string(entry, &folder);
        else if (strcmp(id, "hz") == 0)
            snd_config_get_integer(entry, &hz);
    }
    struct pulled *p = calloc(1, sizeof *p);
    if (!p || !folder)
        return -EINVAL;
    p->folder = strdup(folder);
    p->hz = hz;
    if (!has(p, "there")) {
        free(p->folder);
        free(p);
        return -ENODEV;
    }
    if (stream == SND_PCM_STREAM_PLAYBACK) {
        char path[512];
        snprintf(path, sizeof path, "%s/played", folder);
        p->played = fopen(path, "ab");
        if (!p->played)
            return -errno;
    }
    p->io.version = SND_PCM_IOPLUG_VERSION;
    p->io.name = "a device that can be pulled out";
    p->io.callback = &callbacks;
    p->io.private_data = p;
    p->io.poll_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    p->io.poll_events = POLLIN;
    p->io.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
    int err = snd_pcm_ioplug_create(&p->io, name, stream, mode);
    if (err >= 0 && (err = constrain(&p->io)) < 0)
        snd_pcm_ioplug_delete(&p->io);
    *pcmp = p->io.pcm;
    return err;
}

SND_PCM_PLUGIN_SYMBOL(pulled);
