/* libspandsp's receivers on signals from standard input, one after another: a 32-bit count of samples, then the
   samples, int16 at 8000 Hz, both in the machine's byte order.

   spandsp keys    a line for each signal: the DTMF digits
   spandsp tones   a line for each signal: NAME@SAMPLE of every tone of China's plan it declares
   spandsp speed   a line for each signal: processor seconds the DTMF receiver takes for it, tick by tick
   spandsp tone-speed   the same of the receiver of tones
*/
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <spandsp.h>

#define TICK 160 /* samples: 20 ms */

static int16_t *signal_in;
static int32_t count, room, at;

static int next_signal(void) {
    if (fread(&count, sizeof count, 1, stdin) != 1) return 0;
    if (count > room) {
        room = count;
        signal_in = realloc(signal_in, 2 * (size_t) room);
    }
    if (signal_in == NULL || fread(signal_in, 2, count, stdin) != (size_t) count) exit(2);
    return 1;
}

static int tick(void) { return count - at < TICK ? count - at : TICK; }

static void keys(void) {
    char digits[129];
    while (next_signal()) {
        dtmf_rx_state_t *receiver = dtmf_rx_init(NULL, NULL, NULL);
        for (at = 0; at < count; at += TICK) {
            dtmf_rx(receiver, signal_in + at, tick());
            if (dtmf_rx_get(receiver, digits, 128)) fputs(digits, stdout);
        }
        putchar('\n');
        dtmf_rx_free(receiver);
    }
}

/* ms of tone and silence; a single one without silence is continuous. Same order as config/tones/cn.toml. */
static const struct { const char *name; int hertz; int steps[9]; } plan[] = {
    {"dial", 450, {0}},
    {"ringback", 450, {1000, 4000}},
    {"busy", 450, {350, 350, 350, 350}},
    {"congestion", 450, {700, 700, 700, 700}},
    {"unobtainable", 450, {100, 100, 100, 100, 100, 100, 400, 400}},
    {"waiting", 450, {400, 4000}},
    {"toll", 450, {200, 200, 200, 600}},
    {"howler", 950, {0}},
};

/* 10 per cent, and one and a half of its 16 ms blocks either way; a continuous tone is one after 1.5 s. */
static super_tone_rx_descriptor_t *china(void) {
    super_tone_rx_descriptor_t *tones = super_tone_rx_make_descriptor(NULL);
    for (size_t i = 0; i < sizeof plan / sizeof *plan; i++) {
        int tone = super_tone_rx_add_tone(tones);
        if (plan[i].steps[0] == 0) super_tone_rx_add_element(tones, tone, plan[i].hertz, 0, 1500, 0);
        for (int k = 0; plan[i].steps[k]; k++)
            super_tone_rx_add_element(tones, tone, k % 2 ? 0 : plan[i].hertz, 0,
                                      plan[i].steps[k] * 9 / 10 - 24, plan[i].steps[k] * 11 / 10 + 24);
    }
    return tones;
}

static void declared(void *user, int code, int level, int delay) {
    (void) user; (void) level; (void) delay;
    if (code >= 0) printf("%s@%d ", plan[code].name, at + tick());
}

static void tones(void) {
    super_tone_rx_descriptor_t *known = china();
    while (next_signal()) {
        super_tone_rx_state_t *receiver = super_tone_rx_init(NULL, known, declared, NULL);
        for (at = 0; at < count; at += TICK) super_tone_rx(receiver, signal_in + at, tick());
        putchar('\n');
        super_tone_rx_free(receiver);
    }
}

static double processor(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void speed(void) {
    char digits[129];
    while (next_signal()) {
        dtmf_rx_state_t *receiver = dtmf_rx_init(NULL, NULL, NULL);
        double began = processor();
        for (at = 0; at < count; at += TICK) {
            dtmf_rx(receiver, signal_in + at, tick());
            dtmf_rx_get(receiver, digits, 128);
        }
        printf("%.9f\n", processor() - began);
        dtmf_rx_free(receiver);
    }
}

static void ignored(void *user, int code, int level, int delay) {
    (void) user; (void) code; (void) level; (void) delay;
}

static void tone_speed(void) {
    super_tone_rx_descriptor_t *known = china();
    while (next_signal()) {
        super_tone_rx_state_t *receiver = super_tone_rx_init(NULL, known, ignored, NULL);
        double began = processor();
        for (at = 0; at < count; at += TICK) super_tone_rx(receiver, signal_in + at, tick());
        printf("%.9f\n", processor() - began);
        super_tone_rx_free(receiver);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "keys")) keys();
    else if (argc == 2 && !strcmp(argv[1], "tones")) tones();
    else if (argc == 2 && !strcmp(argv[1], "speed")) speed();
    else if (argc == 2 && !strcmp(argv[1], "tone-speed")) tone_speed();
    else { fputs("spandsp keys | tones | speed | tone-speed\n", stderr); return 2; }
    return 0;
}
