/* Prints what drivers/dahdi/abi.py lays down, under the same names, from the kernel module's own header. */
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <dahdi/user.h>

#define NUMBER(name) printf(#name " %lu\n", (unsigned long)DAHDI_##name)
#define PLACE(name, member) printf(#name " %zu\n", offsetof(struct dahdi_params, member))
#define SIZE(name, of) printf(#name " %zu\n", sizeof(of))

int main(void)
{
    SIZE(PARAMS_SIZE, struct dahdi_params);
    PLACE(PARAMS_SIGTYPE, sigtype);
    PLACE(PARAMS_RXHOOKSIG, rxhooksig);
    PLACE(PARAMS_CURLAW, curlaw);
    PLACE(PARAMS_FLASHTIME, flashtime);
    PLACE(PARAMS_ALARMS, chan_alarms);
    SIZE(BUFFERINFO_SIZE, struct dahdi_bufferinfo);
    SIZE(GAINS_SIZE, struct dahdi_gains);
    SIZE(DIAL_SIZE, struct dahdi_dialoperation);
    SIZE(DIGITS_SIZE, ((struct dahdi_dialoperation *)0)->dialstr);
    NUMBER(CODE);
    SIZE(INT, int);
    NUMBER(FLUSH); NUMBER(GET_PARAMS); NUMBER(SET_PARAMS); NUMBER(HOOK); NUMBER(GETEVENT); NUMBER(SETGAINS);
    NUMBER(SET_BUFINFO); NUMBER(DIAL); NUMBER(ECHOCANCEL); NUMBER(SPECIFY); NUMBER(SETLAW); NUMBER(SETLINEAR);
    NUMBER(ECHOTRAIN);
    NUMBER(ONHOOK); NUMBER(OFFHOOK); printf("FLASHHOOK %d\n", DAHDI_FLASH); NUMBER(RING);
    NUMBER(FLUSH_READ); NUMBER(FLUSH_ALL); NUMBER(POLICY_IMMEDIATE); NUMBER(DIAL_OP_APPEND); NUMBER(DIAL_OP_CANCEL);
    NUMBER(LAW_DEFAULT); NUMBER(LAW_MULAW); NUMBER(LAW_ALAW);
    NUMBER(SIG_FXSLS); NUMBER(SIG_FXSGS); NUMBER(SIG_FXSKS); NUMBER(SIG_FXOLS); NUMBER(SIG_FXOGS); NUMBER(SIG_FXOKS);
    NUMBER(EVENT_NONE); NUMBER(EVENT_ONHOOK); NUMBER(EVENT_RINGOFFHOOK); NUMBER(EVENT_ALARM); NUMBER(EVENT_NOALARM);
    NUMBER(EVENT_DIALCOMPLETE); NUMBER(EVENT_POLARITY); NUMBER(EVENT_RINGBEGIN); NUMBER(EVENT_REMOVED);
    printf("ELAST %d\n", ELAST);
    return 0;
}
