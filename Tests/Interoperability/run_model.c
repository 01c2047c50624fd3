/* Classifies what comes on standard input: for each sound a count (int32), then so many numbers (float32) of `WIDTH` each.
   Writes a line of a status and the probabilities; with an argument, feeds it in pieces of so many and writes a second
   line, of what `now` says after the last. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

#ifndef MODEL_WIDTH
#define MODEL_WIDTH 1
#endif

static model_stream stream;

static void write_line(int status, const float *probabilities) {
  int i;
  printf("%d", status);
  for (i = 0; i < MODEL_CLASSES && status == MODEL_OK; i++) printf(" %.9g", (double)probabilities[i]);
  printf("\n");
}

int main(int count, char **arguments) {
  const size_t piece = count > 1 ? (size_t)atoi(arguments[1]) : 0;
  int32_t length;
  while (fread(&length, sizeof length, 1, stdin) == 1) {
    const size_t total = (size_t)length;
    float probabilities[MODEL_CLASSES], *x = malloc((total + 1) * MODEL_WIDTH * sizeof *x);
    if (!x || fread(x, MODEL_WIDTH * sizeof *x, total, stdin) != total) return 1;
    if (piece == 0) {
      write_line(model_classify(&stream, x, total, probabilities), probabilities);
    } else {
      size_t done;
      int status;
      model_begin(&stream);
      for (done = 0; done < total; done += piece) {
        model_feed(&stream, x + done * MODEL_WIDTH, total - done < piece ? total - done : piece);
      }
#ifdef HAS_NOW
      status = model_now(&stream, probabilities);
      write_line(status, probabilities);
#endif
      status = model_finish(&stream, probabilities);
      write_line(status, probabilities);
    }
    free(x);
  }
  return 0;
}
