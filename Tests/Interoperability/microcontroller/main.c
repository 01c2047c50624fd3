/* Bare metal: classifies a sound and writes, by semihosting, how many ticks of the clock it took, the status, and the
   probabilities in millionths. */
#include <stdint.h>
#include <string.h>

#include "model.h"

extern const int16_t sound[];
extern const uint32_t sound_count;
extern uint32_t data_begin, data_end, data_from, bss_begin, bss_end, stack_top;

static int semihosting(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void write_number(int32_t number) {
  char text[13];
  char *place = text + sizeof text - 1;
  const int is_negative = number < 0;
  *place = 0;
  *--place = ' ';
  if (is_negative) number = -number;
  do {
    *--place = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  if (is_negative) *--place = '-';
  semihosting(4, place);
}

static model_stream stream;

/* The system timer, which counts down 24 bits of the processor's clock. */
static volatile uint32_t *const timer = (volatile uint32_t *)0xE000E010;

static int run(void) {
  float probabilities[MODEL_CLASSES];
  int status, i;
  timer[1] = 0xFFFFFF;
  timer[2] = 0;
  timer[0] = 5;
  model_begin(&stream);
  model_feed16(&stream, sound, sound_count);
  status = model_finish(&stream, probabilities);
  write_number((int32_t)(0xFFFFFF - timer[2]));
  write_number(status);
  for (i = 0; i < MODEL_CLASSES && status == MODEL_OK; i++) write_number((int32_t)(probabilities[i] * 1e6f + 0.5f));
  return status;
}

void reset(void);
void reset(void) {
  static const uint32_t exit_reason = 0x20026;
  *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20; /* the floating-point unit */
  __asm__ volatile("dsb\n isb");
  memcpy(&data_begin, &data_from, (size_t)((char *)&data_end - (char *)&data_begin));
  memset(&bss_begin, 0, (size_t)((char *)&bss_end - (char *)&bss_begin));
  run();
  semihosting(0x18, (const void *)exit_reason);
  for (;;) {
  }
}

static void fault(void) {
  semihosting(4, "fault ");
  semihosting(0x18, (const void *)0x20023);
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault};
