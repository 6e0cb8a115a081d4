/* libshpa3api.so as far as drivers/card/worker/shp_a3.py uses it; blocks come back from the board's own thread. */

#include "fake_board.h"

typedef int (*block_done)(int, int, unsigned char *, uint32_t, void *);
struct block { unsigned char *bytes; uint32_t size, at; block_done done; void *user; };
struct queue { struct block blocks[16]; int count; };
struct message { unsigned short code; int channel; uint32_t parameter; };
struct late { block_done done; int channel, reason; struct block block; };

enum { IDLE, PICKED_UP, RINGING, TALKING, PENDING = 7 };

static struct line {
    int state, off_hook, rings, was_ringing, was_gone, polarity, quiet, flashed, digit_ticks;
    char number[27], digits[64];
    struct queue play, record;
} lines[LINES];

static struct message events[1024];
static unsigned first, last;
static struct late late[LINES * 32];
static int lates, error_code;
static const char *error_words = "";

static int fails(int code, const char *words)
{
    error_code = code;
    error_words = words;
    return -1;
}

static void happens(int code, int channel, int parameter)
{
    events[last++ % 1024] = (struct message){ code, channel, parameter };
}

static void becomes(int channel, int state)
{
    lines[channel].state = state;
    happens(0x18, channel, state);
}

static void comes_back(int channel, struct queue *queue, int reason)
{
    late[lates++] = (struct late){ queue->blocks[0].done, channel, reason, queue->blocks[0] };
    memmove(queue->blocks, queue->blocks + 1, --queue->count * sizeof *queue->blocks);
}

/* Move 160 bytes between the line and the blocks that wait. */
static void move(int channel, struct queue *queue, uint8_t *audio, int recording)
{
    for (int i = 0; i < FRAME && queue->count; i++) {
        struct block *block = queue->blocks;
        if (recording)
            block->bytes[block->at++] = audio[i];
        else
            audio[i] = block->bytes[block->at++];
        if (block->at == block->size)
            comes_back(channel, queue, recording ? 4 : 1);
    }
}

static void rung(int i)
{
    struct line *line = &lines[i];
    line->quiet = in[i].ringing ? 0 : line->quiet + 1;
    if (in[i].ringing && !line->was_ringing && !line->off_hook) {
        happens(0x1E, i, ++line->rings);
        if (line->state != RINGING)
            becomes(i, RINGING);
    }
    line->was_ringing = in[i].ringing;
    if (line->state == RINGING && line->quiet > 300) { /* RingEndDtrTime=6000 */
        line->rings = 0;
        happens(0x1E, i, 0);
        becomes(i, IDLE);
    }
    if (*in[i].number) {
        memcpy(line->number, in[i].number, sizeof line->number);
        happens(0x45, i, 0);
    }
}

static void send_digits(int i)
{
    struct line *line = &lines[i];
    out[i].digit = 0;
    if (!*line->digits)
        return;
    if (line->digit_ticks == 0)
        out[i].digit = *line->digits;
    if (++line->digit_ticks == 8) { /* TxDtmfTimePara={80,80} */
        line->digit_ticks = 0;
        memmove(line->digits, line->digits + 1, strlen(line->digits));
        if (!*line->digits)
            happens(0x0D, i, 0);
    }
}

static void board_step(void)
{
    static struct late now[LINES * 32];
    int count;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ini.lines; i++) {
        struct line *line = &lines[i];
        rung(i);
        if (in[i].gone && !line->was_gone && line->off_hook)
            becomes(i, PENDING);
        line->was_gone = in[i].gone;
        if (in[i].polarity != line->polarity)
            happens(0x21, i, 1);
        line->polarity = in[i].polarity;
        send_digits(i);
        memset(out[i].audio, SILENCE, FRAME);
        move(i, &line->play, out[i].audio, 0);
        move(i, &line->record, in[i].audio, 1);
        out[i].off_hook = line->off_hook;
        out[i].flashed = line->flashed;
        line->flashed = 0;
    }
    memcpy(now, late, (count = lates) * sizeof *now);
    lates = 0;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < count; i++)
        now[i].done(now[i].channel, now[i].reason, now[i].block.bytes, now[i].block.at, now[i].block.user);
}

int SsmStartCti(char *config, char *index)
{
    enter();
    leave();
    if (ini_read(config) != 0 || access(index, R_OK) != 0)
        return fails(9, "config file");
    if (ini.refuse)
        return fails(ini.refuse, "board serial number does not match");
    if (board_take(config) != 0)
        return fails(0, "board is opened by another process");
    return 0;
}

int SsmCloseCti(void) { board_release(); return 0; }
int SsmGetLastErrCode(void) { return error_code; }
void SsmGetLastErrMsg(char *words) { strcpy(words, error_words); }
int SsmGetMaxCh(void) { return ini.lines; }
int SsmGetChType(int ch) { return ini.types[ch]; }
int SsmSetRecMixer(int ch, int on, int volume) { return 0; }
int SsmSetDtmfStopPlay(int ch, int on) { return 0; }
int SsmSetHangupStopPlayFlag(int ch, int on) { return 0; }
int SsmSetHangupStopRecFlag(int ch, int on) { return 0; }
int SsmGetPendingReason(int ch) { return 4; }
int SsmGetLineVoltage(int ch) { return in[ch].volts; }

int SsmSetEvent(unsigned short event, int channel, int enable, uint32_t *set)
{
    return event == 0xFFFF && channel == -1 && enable && set[0] == 1 ? 0 : fails(8, "parameter");
}

int SsmWaitForEvent(uint32_t timeout, struct message *event)
{
    int found;
    enter();
    found = first != last;
    if (found)
        *event = events[first++ % 1024];
    leave();
    return found ? 0 : -1;
}

int SsmGetChState(int ch)
{
    int state;
    enter();
    state = lines[ch].state;
    leave();
    return state;
}

int SsmPickup(int ch)
{
    enter();
    lines[ch].off_hook = 1;
    becomes(ch, lines[ch].state == RINGING ? TALKING : PICKED_UP);
    leave();
    return 0;
}

int SsmHangup(int ch)
{
    enter();
    lines[ch].off_hook = lines[ch].rings = 0;
    lines[ch].digits[0] = 0;
    becomes(ch, IDLE);
    leave();
    return 0;
}

int SsmGetCallerId(int ch, char *number)
{
    enter();
    strcpy(number, lines[ch].number);
    leave();
    return 0;
}

int SsmClearCallerId(int ch)
{
    enter();
    lines[ch].number[0] = 0;
    leave();
    return 0;
}

int SsmTxDtmf(int ch, char *digits)
{
    enter();
    strncat(lines[ch].digits, digits, 63 - strlen(lines[ch].digits));
    lines[ch].digit_ticks = 0;
    leave();
    return lines[ch].off_hook ? 0 : fails(14, "on hook");
}

int SsmStopTxDtmf(int ch)
{
    enter();
    lines[ch].digits[0] = 0;
    leave();
    return 0;
}

int SsmTxFlash(int ch, unsigned short milliseconds)
{
    enter();
    lines[ch].flashed = milliseconds / 10;
    leave();
    return 0;
}

static int give(int ch, int format, struct queue *queue, struct block block)
{
    int taken;
    enter();
    taken = format == 6 && lines[ch].off_hook && queue->count < 16;
    if (taken)
        queue->blocks[queue->count++] = block;
    leave();
    return taken ? 0 : fails(11, "no resource");
}

static int stop(int ch, struct queue *queue, int reason)
{
    enter();
    while (queue->count)
        comes_back(ch, queue, reason);
    leave();
    return 0;
}

int SsmPlayMemBlock(int ch, int format, unsigned char *bytes, uint32_t size, block_done done, void *user)
{
    return give(ch, format, &lines[ch].play, (struct block){ bytes, size, 0, done, user });
}

int SsmRecordMemBlock(int ch, int format, unsigned char *bytes, uint32_t size, block_done done, void *user)
{
    return give(ch, format, &lines[ch].record, (struct block){ bytes, size, 0, done, user });
}

int SsmStopPlayMemBlock(int ch) { return stop(ch, &lines[ch].play, 5); }
int SsmStopRecordMemBlock(int ch) { return stop(ch, &lines[ch].record, 1); }
