/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer between SQLite and the files that fails on demand, and that knows what a power cut would leave.
 *
 * Writes, syncs and truncations are counted; the n-th one fails, once or from then on. Beside each file it keeps what an
 * honest sync has made durable and the writes since; crash () makes a folder with the former and a random choice, by
 * sectors of 512 bytes, of the latter. A lying sync makes nothing durable.
 */
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace nebula
{

class FaultVfs
{
public:
  enum Kind {
    NONE,
    WRITE_ERROR,
    WRITE_SHORT, /* half of it reaches the file */
    WRITE_TORN,  /* one sector reaches the file */
    WRITE_FULL,
    SYNC_ERROR,
  };

  static FaultVfs &get ()
  {
    static FaultVfs self;
    return self;
  }

  /* Fails the n-th matching operation from now, and with is_forever all after it. */
  void arm (Kind kind, int nth, bool is_forever)
  {
    kind_ = kind;
    countdown_ = nth;
    is_forever_ = is_forever;
    n_hits_ = 0;
  }
  void disarm ()
  {
    kind_ = NONE;
  }
  int n_hits () const
  {
    return n_hits_;
  }
  void set_lying (bool is_lying)
  {
    is_lying_ = is_lying;
  }
  unsigned n_syncs () const
  {
    return n_syncs_;
  }
  void forget ()
  {
    disarm ();
    is_lying_ = false;
    files_.clear ();
  }

  /* What a power cut now would leave of the files in the folder `from`, as files in the folder `to`. */
  void crash (const std::string &from, const std::string &to, unsigned seed)
  {
    std::mt19937 random (seed);

    for (auto &[path, file] : files_) {
      if (path.compare (0, from.size () + 1, from + "/") != 0 || !file.is_there)
        continue;
      std::string content = file.durable;
      for (const Change &change : file.changes)
        apply_some (content, change, random);
      std::ofstream (to + path.substr (from.size ()), std::ios::binary) << content;
    }
  }

private:
  struct Change {
    bool is_truncation;
    size_t offset;
    std::string bytes;
  };
  struct State {
    bool is_there = false;
    std::string durable;
    std::vector<Change> changes;
  };
  struct File {
    sqlite3_file base;
    sqlite3_file *real;
    State *state; /* NULL for files without a name */
  };

  FaultVfs ()
  {
    real_ = sqlite3_vfs_find (nullptr);
    vfs_ = *real_;
    vfs_.zName = "fault";
    vfs_.pNext = nullptr;
    vfs_.szOsFile = (int) sizeof (File) + real_->szOsFile;
    vfs_.xOpen = x_open;
    vfs_.xDelete = x_delete;
    sqlite3_vfs_register (&vfs_, 1);
    fill_methods ();
  }

  static void
  apply_some (std::string &content, const Change &change, std::mt19937 &random)
  {
    if (change.is_truncation) {
      if (random () & 1)
        content.resize (change.offset);
      return;
    }
    for (size_t done = 0; done < change.bytes.size ();) {
      size_t at = change.offset + done;
      size_t length = std::min (change.bytes.size () - done, 512 - at % 512);
      if (random () & 1) {
        if (content.size () < at + length)
          content.resize (at + length);
        content.replace (at, length, change.bytes, done, length);
      }
      done += length;
    }
  }

  static void apply_all (std::string &content, const Change &change)
  {
    if (change.is_truncation) {
      content.resize (change.offset);
      return;
    }
    if (content.size () < change.offset + change.bytes.size ())
      content.resize (change.offset + change.bytes.size ());
    content.replace (change.offset, change.bytes.size (), change.bytes);
  }

  bool is_due (bool is_sync)
  {
    if (kind_ == NONE || (kind_ == SYNC_ERROR) != is_sync)
      return false;
    if (--countdown_ > 0)
      return false;
    if (countdown_ < 0 && !is_forever_)
      return false;
    n_hits_++;
    return true;
  }

  int write (File *file, const void *data, int amount, sqlite3_int64 offset)
  {
    int part = amount;
    int answer = SQLITE_OK;

    if (is_due (false)) {
      part = kind_ == WRITE_SHORT  ? amount / 2
             : kind_ == WRITE_TORN ? std::min (amount, 512)
                                   : 0;
      answer = kind_ == WRITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    if (part > 0) {
      int code = file->real->pMethods->xWrite (file->real, data, part, offset);
      if (code != SQLITE_OK)
        return code;
      if (file->state)
        file->state->changes.push_back (
            {false, (size_t) offset, std::string ((const char *) data, (size_t) part)});
    }
    return answer;
  }

  int sync (File *file)
  {
    n_syncs_++;
    if (is_due (true))
      return SQLITE_IOERR_FSYNC;
    if (is_lying_ || !file->state)
      return SQLITE_OK;
    for (const Change &change : file->state->changes)
      apply_all (file->state->durable, change);
    file->state->changes.clear ();
    return SQLITE_OK;
  }

  static int
  x_open (sqlite3_vfs *, const char *name, sqlite3_file *base, int flags, int *ret_flags)
  {
    FaultVfs &self = get ();
    File *file = reinterpret_cast<File *> (base);

    file->base.pMethods = nullptr;
    file->state = nullptr;
    file->real = reinterpret_cast<sqlite3_file *> (file + 1);
    int code = self.real_->xOpen (self.real_, name, file->real, flags, ret_flags);
    if (code != SQLITE_OK)
      return code;
    if (name) {
      file->state = &self.files_[name];
      file->state->is_there = true;
    }
    file->base.pMethods = &self.methods_;
    return SQLITE_OK;
  }

  static int x_delete (sqlite3_vfs *, const char *name, int sync_folder)
  {
    FaultVfs &self = get ();
    int code = self.real_->xDelete (self.real_, name, sync_folder);
    if (code == SQLITE_OK)
      self.files_.erase (name);
    return code;
  }

  static File *cast (sqlite3_file *base)
  {
    return reinterpret_cast<File *> (base);
  }

  void fill_methods ()
  {
    sqlite3_io_methods &m = methods_;

    m.iVersion = 2;
    m.xClose = [] (sqlite3_file *f) {
      return cast (f)->real->pMethods->xClose (cast (f)->real);
    };
    m.xRead = [] (sqlite3_file *f, void *data, int amount, sqlite3_int64 offset) {
      return cast (f)->real->pMethods->xRead (cast (f)->real, data, amount, offset);
    };
    m.xWrite = [] (sqlite3_file *f, const void *data, int amount, sqlite3_int64 offset) {
      return get ().write (cast (f), data, amount, offset);
    };
    m.xTruncate = [] (sqlite3_file *f, sqlite3_int64 size) {
      if (cast (f)->state)
        cast (f)->state->changes.push_back ({true, (size_t) size, ""});
      return cast (f)->real->pMethods->xTruncate (cast (f)->real, size);
    };
    m.xSync = [] (sqlite3_file *f, int) { return get ().sync (cast (f)); };
    m.xFileSize = [] (sqlite3_file *f, sqlite3_int64 *size) {
      return cast (f)->real->pMethods->xFileSize (cast (f)->real, size);
    };
    m.xLock = [] (sqlite3_file *f, int level) {
      return cast (f)->real->pMethods->xLock (cast (f)->real, level);
    };
    m.xUnlock = [] (sqlite3_file *f, int level) {
      return cast (f)->real->pMethods->xUnlock (cast (f)->real, level);
    };
    m.xCheckReservedLock = [] (sqlite3_file *f, int *out) {
      return cast (f)->real->pMethods->xCheckReservedLock (cast (f)->real, out);
    };
    m.xFileControl = [] (sqlite3_file *f, int op, void *argument) {
      return cast (f)->real->pMethods->xFileControl (cast (f)->real, op, argument);
    };
    m.xSectorSize = [] (sqlite3_file *f) {
      return cast (f)->real->pMethods->xSectorSize (cast (f)->real);
    };
    m.xDeviceCharacteristics = [] (sqlite3_file *f) {
      return cast (f)->real->pMethods->xDeviceCharacteristics (cast (f)->real);
    };
    m.xShmMap = [] (sqlite3_file *f, int page, int size, int extend,
                    void volatile **out) {
      return cast (f)->real->pMethods->xShmMap (cast (f)->real, page, size, extend, out);
    };
    m.xShmLock = [] (sqlite3_file *f, int offset, int n, int flags) {
      return cast (f)->real->pMethods->xShmLock (cast (f)->real, offset, n, flags);
    };
    m.xShmBarrier = [] (sqlite3_file *f) {
      cast (f)->real->pMethods->xShmBarrier (cast (f)->real);
    };
    m.xShmUnmap = [] (sqlite3_file *f, int remove) {
      return cast (f)->real->pMethods->xShmUnmap (cast (f)->real, remove);
    };
  }

  sqlite3_vfs *real_ = nullptr;
  sqlite3_vfs vfs_ = {};
  sqlite3_io_methods methods_ = {};
  std::map<std::string, State> files_;
  Kind kind_ = NONE;
  int countdown_ = 0;
  bool is_forever_ = false;
  bool is_lying_ = false;
  int n_hits_ = 0;
  unsigned n_syncs_ = 0;
};

} // namespace nebula
