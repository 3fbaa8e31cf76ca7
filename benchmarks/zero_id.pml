/* The design zero-id on a drawing board, for spin: the same states as jobtck's explorer, without symmetry.

   spin -o2 -a [-DJOBS=n] benchmarks/zero_id.pml && gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000 -n

   -o2: how a reference was learnt is never read here, and is part of the state all the same.

   One backup at a time. A job is called by the order of its begin; ids are never given again, so that an
   id stands for its job. A client acts only by what it remembers: ids, 0, the domain job, and disks, each
   with the job that it means and how it learnt that. */

#ifndef JOBS
#define JOBS 3
#endif
#define CLIENTS 2
#define DISKS 2

#define BACKUP 1
#define BLOCK 2
#define NOBODY 3   /* the owner of a live job whose client is gone; that of one that is over is 0 */
#define BEGAN 1
#define LOOKED 2

byte begun;
byte type[JOBS];
bit live[JOBS];
bit disk[JOBS];
byte owner[JOBS];               /* a client's number and one */
byte ids[CLIENTS * JOBS];       /* how the id of a job was learnt, 0 if it was not */
byte zero[CLIENTS];             /* the job that is meant by 0, and one */
byte zero_from[CLIENTS];
byte legacy[CLIENTS];
byte legacy_from[CLIENTS];
byte by_disk[CLIENTS * DISKS];
byte disk_from[CLIENTS * DISKS];

#if JOBS > 2
#define IS(j, t) (live[j] && type[j] == t)
#define CURRENT (IS(0, BACKUP) -> 1 : (IS(1, BACKUP) -> 2 : (IS(2, BACKUP) -> 3 : 0)))
#define ON(d, t) (IS(0, t) && disk[0] == d -> 1 : (IS(1, t) && disk[1] == d -> 2 : (IS(2, t) && disk[2] == d -> 3 : 0)))
#else
#define IS(j, t) (live[j] && type[j] == t)
#define CURRENT (IS(0, BACKUP) -> 1 : (IS(1, BACKUP) -> 2 : 0))
#define ON(d, t) (IS(0, t) && disk[0] == d -> 1 : (IS(1, t) && disk[1] == d -> 2 : 0))
#endif
#define FREE(d) (ON(d, BACKUP) == 0 && ON(d, BLOCK) == 0)

byte i;      /* always 0 between two steps */
byte found;
byte meant;

inline over(job) { live[job] = 0; disk[job] = 0; owner[job] = 0 }

inline forget(c, job) {
  ids[c * JOBS + job] = 0;
  if :: zero[c] == job + 1 -> zero[c] = 0; zero_from[c] = 0 :: else fi;
  if :: legacy[c] == job + 1 -> legacy[c] = 0; legacy_from[c] = 0 :: else fi;
  if :: by_disk[c * DISKS] == job + 1 -> by_disk[c * DISKS] = 0; disk_from[c * DISKS] = 0 :: else fi;
  if :: by_disk[c * DISKS + 1] == job + 1 -> by_disk[c * DISKS + 1] = 0; disk_from[c * DISKS + 1] = 0 :: else fi
}

inline add(c, d, t) { type[begun] = t; live[begun] = 1; disk[begun] = d; owner[begun] = c + 1 }

inline die(c) {
  i = 0;
  do :: i < JOBS -> ids[c * JOBS + i] = 0; if :: live[i] && owner[i] == c + 1 -> owner[i] = NOBODY :: else fi; i++
     :: else -> break
  od;
  i = 0;
  zero[c] = 0; zero_from[c] = 0; legacy[c] = 0; legacy_from[c] = 0;
  by_disk[c * DISKS] = 0; disk_from[c * DISKS] = 0; by_disk[c * DISKS + 1] = 0; disk_from[c * DISKS + 1] = 0
}

#define OWNS(c, j) (live[j] && owner[j] == c + 1)
#if JOBS > 2
#define OWNS_ANY(c) (OWNS(c, 0) || OWNS(c, 1) || OWNS(c, 2))
#else
#define OWNS_ANY(c) (OWNS(c, 0) || OWNS(c, 1))
#endif

#define ON_DISK(c, d) \
  :: d_step { begun < JOBS && CURRENT == 0 && FREE(d) -> add(c, d, BACKUP); ids[c * JOBS + begun] = BEGAN; \
       zero[c] = begun + 1; zero_from[c] = BEGAN; legacy[c] = begun + 1; legacy_from[c] = BEGAN; begun++ } \
  :: d_step { begun < JOBS && FREE(d) -> add(c, d, BLOCK); \
       by_disk[c * DISKS + d] = begun + 1; disk_from[c * DISKS + d] = BEGAN; begun++ } \
  :: d_step { by_disk[c * DISKS + d] && ON(d, BLOCK) -> found = ON(d, BLOCK) - 1; \
       meant = by_disk[c * DISKS + d] - 1; over(found); forget(c, meant); found = 0; meant = 0 } \
  :: d_step { ON(d, BLOCK) && by_disk[c * DISKS + d] != ON(d, BLOCK) -> \
       by_disk[c * DISKS + d] = ON(d, BLOCK); disk_from[c * DISKS + d] = LOOKED }

#define BY_ID(c, j) \
  :: d_step { ids[c * JOBS + j] && live[j] -> over(j); forget(c, j) }

#define CLIENT(c) \
  ON_DISK(c, 0) \
  ON_DISK(c, 1) \
  BY_ID(c, 0) \
  BY_ID(c, 1) \
  BY_LAST(c) \
  :: d_step { zero[c] && CURRENT -> found = CURRENT - 1; meant = zero[c] - 1; over(found); forget(c, meant); \
       found = 0; meant = 0 } \
  :: d_step { legacy[c] && CURRENT -> found = CURRENT - 1; meant = legacy[c] - 1; over(found); forget(c, meant); \
       found = 0; meant = 0 } \
  :: d_step { CURRENT -> found = CURRENT - 1; \
       if :: zero[c] != found + 1 -> zero[c] = found + 1; zero_from[c] = LOOKED :: else fi; \
       if :: !ids[c * JOBS + found] -> ids[c * JOBS + found] = LOOKED :: else fi; found = 0 } \
  :: d_step { CURRENT && legacy[c] != CURRENT -> legacy[c] = CURRENT; legacy_from[c] = LOOKED } \
  :: d_step { OWNS_ANY(c) -> die(c) }

#if JOBS > 2
#define BY_LAST(c) BY_ID(c, 2)
#define FINISH_LAST :: d_step { IS(2, BLOCK) -> over(2) }
#else
#define BY_LAST(c)
#define FINISH_LAST
#endif

active proctype everything() {
end: /* when no more can begin, and nothing lives */
  do
  CLIENT(0)
  CLIENT(1)
  :: d_step { IS(0, BLOCK) -> over(0) }
  :: d_step { IS(1, BLOCK) -> over(1) }
  FINISH_LAST
  od
}
