/* The same work straight through the C API of the very SQLite that is linked into warroom: the same schema (warroom made the
   file), the same pragmas, prepared statements, nothing else. Prints microseconds, one number a line.
   journal_baseline DB append ROUNDS PAYLOAD | batch ROUNDS PAYLOAD | fill ROWS PAYLOAD | page PLACE LIMIT ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_open(const char *, sqlite3 **);
int sqlite3_close(sqlite3 *);
int sqlite3_exec(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_bind_blob(sqlite3_stmt *, int, const void *, int, void (*)(void *));
int sqlite3_bind_text(sqlite3_stmt *, int, const char *, int, void (*)(void *));
int sqlite3_bind_int64(sqlite3_stmt *, int, int64_t);
const void *sqlite3_column_blob(sqlite3_stmt *, int);
const unsigned char *sqlite3_column_text(sqlite3_stmt *, int);
int sqlite3_column_bytes(sqlite3_stmt *, int);
int64_t sqlite3_column_int64(sqlite3_stmt *, int);
const char *sqlite3_errmsg(sqlite3 *);
#define ROW 100
#define DONE 101
static sqlite3 *db;
static void must(int code, int wanted) {
  if (code != wanted) { fprintf(stderr, "%d: %s\n", code, sqlite3_errmsg(db)); exit(1); }
}
static void run(const char *text) { must(sqlite3_exec(db, text, 0, 0, 0), 0); }
static double now_us(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}
static sqlite3_stmt *begin, *commit, *insert;
static void step(sqlite3_stmt *statement) { must(sqlite3_step(statement), DONE); sqlite3_reset(statement); }
static int64_t seq;
static unsigned char writer[16], id[16], hash[32];
static void one(const char *payload) {
  seq++;
  memcpy(id, &seq, 8);
  memcpy(id + 8, writer, 8);
  memcpy(hash, &seq, 8);
  sqlite3_bind_blob(insert, 1, id, 16, 0);
  sqlite3_bind_blob(insert, 2, writer, 16, 0);
  sqlite3_bind_int64(insert, 3, seq);
  sqlite3_bind_int64(insert, 4, 1760000000000000 + seq);
  sqlite3_bind_text(insert, 5, "ticked", 6, 0);
  sqlite3_bind_int64(insert, 6, 1);
  sqlite3_bind_text(insert, 7, payload, strlen(payload), 0);
  sqlite3_bind_blob(insert, 8, hash, 32, 0);
  sqlite3_bind_blob(insert, 9, hash, 32, 0);
  step(insert);
}
int main(int count, char **word) {
  if (count < 4) return 2;
  must(sqlite3_open(word[1], &db), 0);
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608; PRAGMA wal_autocheckpoint = 0");
  int64_t seed = (int64_t)now_us() ^ ((int64_t)time(0) << 20);
  memcpy(writer, &seed, 8);
  writer[15] = 1;
  must(sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, 0), 0);
  must(sqlite3_prepare_v2(db, "COMMIT", -1, &commit, 0), 0);
  must(sqlite3_prepare_v2(db, "INSERT INTO journal (id, writer, seq, at, kind, version, payload, prev, hash) VALUES (?,?,?,?,?,?,?,?,?)", -1, &insert, 0), 0);
  long number = atol(word[3]);
  if (!strcmp(word[2], "append") || !strcmp(word[2], "batch")) {
    int rows = word[2][0] == 'a' ? 1 : 1000;
    for (long round = 0; round < number; round++) {
      double from = now_us();
      step(begin);
      for (int row = 0; row < rows; row++) one(word[4]);
      step(commit);
      printf("%f\n", now_us() - from);
    }
  } else if (!strcmp(word[2], "fill")) {
    run("PRAGMA synchronous = OFF");
    for (long done = 0; done < number;) {
      step(begin);
      for (int row = 0; row < 10000 && done < number; row++, done++) one(word[4]);
      step(commit);
      run("PRAGMA wal_checkpoint(TRUNCATE)");
    }
  } else {
    sqlite3_stmt *page;
    must(sqlite3_prepare_v2(db, "SELECT place, id, writer, seq, at, kind, version, payload, prev, hash FROM journal WHERE place > ? ORDER BY place LIMIT ?", -1, &page, 0), 0);
    int64_t sum = 0;
    for (long round = 0; round < atol(word[5]); round++) {
      double from = now_us();
      sqlite3_bind_int64(page, 1, number + round * 997);
      sqlite3_bind_int64(page, 2, atol(word[4]));
      while (sqlite3_step(page) == ROW) {
        for (int column = 0; column < 10; column++) {
          if (column == 0 || column == 3 || column == 4 || column == 6) sum += sqlite3_column_int64(page, column);
          else {
            const char *bytes = (const char *)sqlite3_column_blob(page, column);
            int length = sqlite3_column_bytes(page, column);
            char *copy = malloc(length ? length : 1);
            memcpy(copy, bytes, length);
            sum += copy[0];
            free(copy);
          }
        }
      }
      sqlite3_reset(page);
      printf("%f\n", now_us() - from);
    }
    fprintf(stderr, "%lld\n", (long long)sum);
  }
  return 0;
}
