// What `MessagePassing` needs of MPI, as functions: the constants of Open MPI and MPICH are macros that Swift cannot see.
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

/// Joins the others. False where MPI does not allow calls from any thread, one at a time.
static inline int cmpi_start(int *rank, int *count) {
  int provided = 0;
  return MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) == MPI_SUCCESS &&
         provided >= MPI_THREAD_SERIALIZED &&
         MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) == MPI_SUCCESS &&
         MPI_Comm_rank(MPI_COMM_WORLD, rank) == MPI_SUCCESS && MPI_Comm_size(MPI_COMM_WORLD, count) == MPI_SUCCESS;
}

static inline void cmpi_end(void) { MPI_Finalize(); }

/// Something that has begun: a pointer for Open MPI, a number for MPICH.
typedef struct {
  MPI_Request value;
} cmpi_request;

/// Begins to give `each` numbers to every process, and to take as many from each.
static inline int cmpi_exchange_numbers(const uint64_t *give, uint64_t *take, int each, cmpi_request *request) {
  return MPI_Ialltoall(give, each, MPI_UINT64_T, take, each, MPI_UINT64_T, MPI_COMM_WORLD, &request->value);
}

/// The same for bytes, as many as the counts say, at these places.
static inline int cmpi_exchange_bytes(
    const void *give, const int *give_counts, const int *give_places, void *take, const int *take_counts,
    const int *take_places, cmpi_request *request) {
  return MPI_Ialltoallv(give, give_counts, give_places, MPI_BYTE, take, take_counts, take_places, MPI_BYTE,
                        MPI_COMM_WORLD, &request->value);
}

static inline int cmpi_test(cmpi_request *request, int *is_done) {
  return MPI_Test(&request->value, is_done, MPI_STATUS_IGNORE);
}

/// The sentence for an error's number, at most 511 bytes.
static inline void cmpi_error(int number, char *text, int capacity) {
  char sentence[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(number, sentence, &length) != MPI_SUCCESS) length = 0;
  if (length > capacity - 1) length = capacity - 1;
  for (int i = 0; i < length; i++) text[i] = sentence[i];
  text[length] = 0;
}
