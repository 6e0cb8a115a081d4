/* TC08A32.DLL as far as drivers/card/worker/tc08a32.py uses it, as a library for Linux; its ini lies beside it. */

#define _GNU_SOURCE
#include <dlfcn.h>

#include "fake_board.h"

#define LOOP_MOST 65536

static struct line {
    int off_hook, flashed, playing, recording, digit_ticks;
    uint32_t play_length, play_at, recorded;
    char number[27], digits[64], keys[64];
    uint8_t loop[LOOP_MOST], record[LOOP_MOST];
} lines[LINES];

static int channels, refresh = 1024, loop_length;

static void play(struct line *line, uint8_t *audio)
{
    memset(audio, SILENCE, FRAME);
    for (int i = 0; i < FRAME && line->playing; i++)
        audio[i] = line->loop[line->play_at++ % line->play_length];
}

static void record(struct line *line, uint8_t *audio)
{
    if (!line->recording || line->recorded + FRAME > LOOP_MOST)
        return;
    memcpy(line->record + line->recorded, audio, FRAME);
    line->recorded += FRAME;
}

static void board_step(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ini.lines; i++) {
        struct line *line = &lines[i];
        if (*in[i].number)
            memcpy(line->number, in[i].number, sizeof line->number);
        if (in[i].key && strlen(line->keys) < sizeof line->keys - 1)
            strncat(line->keys, &in[i].key, 1);
        out[i].digit = *line->digits && line->digit_ticks == 0 ? *line->digits : 0;
        if (*line->digits && ++line->digit_ticks == 12) { /* 125 ms on, 125 ms off */
            line->digit_ticks = 0;
            memmove(line->digits, line->digits + 1, strlen(line->digits));
        }
        play(line, out[i].audio);
        record(line, in[i].audio);
        out[i].off_hook = line->off_hook;
    }
    pthread_mutex_unlock(&lock);
}

int32_t LoadDRV(void)
{
    Dl_info info;
    char path[300];
    enter();
    leave();
    dladdr((void *)LoadDRV, &info);
    snprintf(path, sizeof path, "%.*s/TC08A-V.INI", (int)(strrchr(info.dli_fname, '/') - info.dli_fname), info.dli_fname);
    if (ini_read(path) != 0)
        return -2;
    if (ini.refuse)
        return ini.refuse;
    channels = ini.lines;
    return board_take(path);
}

int32_t EnableCard(uint16_t count, uint16_t bytes)
{
    loop_length = bytes;
    return count == channels && bytes % 1024 == 0 ? ini.enable : -2;
}

int32_t VR_SetRefreshSize(uint16_t bytes)
{
    refresh = bytes;
    return bytes % 512 ? -2 : ini.refresh;
}

void DisableCard(void) {}
void FreeDRV(void) { board_release(); }
uint16_t CheckValidCh(void) { return channels; }
uint16_t CheckChTypeNew(uint16_t ch) { return ini.types[ch]; }
void PUSH_PLAY(void) { enter(); leave(); }
void FeedSigFunc(void) {}
int32_t RingDetect(uint16_t ch) { return in[ch].ringing && !lines[ch].off_hook; }
int32_t CheckPolarity(uint16_t ch) { return in[ch].polarity; }
void OffHook(uint16_t ch) { lines[ch].off_hook = 1; }
void HangUp(uint16_t ch) { lines[ch].off_hook = 0; }
void InitDtmfBuf(uint16_t ch) { lines[ch].keys[0] = 0; }

int16_t GetDtmfCode(uint16_t ch)
{
    static const char codes[] = "D1234567890*#ABC";
    char *keys = lines[ch].keys;
    int code = -1;
    enter();
    if (*keys) {
        code = strchr(codes, *keys) - codes;
        memmove(keys, keys + 1, strlen(keys));
    }
    leave();
    return code;
}

void ResetCallerIDBuffer(uint16_t ch) { lines[ch].number[0] = 0; }

/* MMDDhhmm and the number; one that begins with X has come with a wrong checksum. */
uint16_t GetCallerIDStr(uint16_t ch, char *text)
{
    char *number = lines[ch].number;
    sprintf(text, "11201030%s", number);
    return *number == 0 ? 0 : *number == 'X' ? 4 : 3;
}

void SendDtmfBuf(uint16_t ch, char *digits)
{
    enter();
    snprintf(lines[ch].digits, sizeof lines[ch].digits, "%s", digits);
    lines[ch].digit_ticks = 0;
    leave();
}

int32_t CheckSendEnd(uint16_t ch) { return lines[ch].digits[0] == 0; }

void StopPlay(uint16_t ch)
{
    enter();
    lines[ch].playing = 0;
    lines[ch].digits[0] = 0;
    leave();
}

void SYS_StartLoopPlay(uint16_t ch, uint32_t length, uint32_t start)
{
    enter();
    lines[ch].play_length = length;
    lines[ch].play_at = start;
    lines[ch].playing = 1;
    leave();
}

void SYS_MoveBufToSys(uint16_t ch, char *bytes, uint32_t length, uint32_t start)
{
    enter();
    if (start + length <= (uint32_t)loop_length)
        memcpy(lines[ch].loop + start, bytes, length);
    leave();
}

void VR_StartRecord(uint16_t ch)
{
    enter();
    lines[ch].recorded = 0;
    lines[ch].recording = 1;
    leave();
}

void VR_StopRecord(uint16_t ch) { lines[ch].recording = 0; }

int32_t VR_GetRecordData(uint16_t ch, char *bytes)
{
    struct line *line = &lines[ch];
    int ready;
    enter();
    ready = line->recorded >= (uint32_t)refresh;
    if (ready) {
        memcpy(bytes, line->record, refresh);
        memmove(line->record, line->record + refresh, line->recorded -= refresh);
    }
    leave();
    return ready ? refresh : 0;
}
