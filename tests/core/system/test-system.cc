/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine, by a root that the tests fill, and the real one. */
#include "nebula-test.h"

#include <glib/gstdio.h>

#include <functional>
#include <vector>

#include "nebula-path.h"
#include "nebula-system-monitor.h"

using nebula::LoopTest;
using nebula::Ref;
using nebula::to_json;
using nebula::Value;

namespace
{

void
remove_folder (const std::string &path)
{
  GDir *dir = g_dir_open (path.c_str (), 0, nullptr);

  while (const char *name = dir ? g_dir_read_name (dir) : nullptr) {
    std::string inner = path + "/" + name;
    if (g_file_test (inner.c_str (), G_FILE_TEST_IS_DIR))
      remove_folder (inner);
    else
      g_unlink (inner.c_str ());
  }
  if (dir)
    g_dir_close (dir);
  g_rmdir (path.c_str ());
}

class SystemTest : public LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    char *folder = g_dir_make_tmp ("nebula-system-XXXXXX", nullptr);
    root_ = folder;
    g_free (folder);
    system_ = Ref<NebulaSystem> (nebula_system_new (root_.c_str ()));
  }
  void TearDown () override
  {
    remove_folder (root_);
    LoopTest::TearDown ();
  }
  void put (const char *path, const std::string &text)
  {
    std::string full = root_ + "/" + path;
    char *folder = g_path_get_dirname (full.c_str ());

    g_mkdir_with_parents (folder, 0755);
    g_free (folder);
    ASSERT_TRUE (g_file_set_contents (full.c_str (), text.c_str (), (gssize) text.size (), nullptr));
  }
  void put_machine (int available_mib)
  {
    put ("proc/meminfo", "MemTotal:        1048576 kB\nMemFree:          102400 kB\nMemAvailable:     " +
                             std::to_string (available_mib * 1024) +
                             " kB\nCached:           204800 kB\nSwapCached: 5 kB\nSwapTotal:        2048 kB\nSwapFree:         1024 kB\n");
    put ("proc/stat", "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 50 0 25 400 25 0 0 0 0 0\ncpu1 50 0 25 400 25 0 0 0 0 0\n"
                      "intr 5\nprocs_running 3\nprocs_blocked 0\n");
  }
  std::string get (const char *path)
  {
    Value reading (nebula_system_read (system_.get ()));
    NebulaValue *part = nebula_value_get_path (reading.get (), path);

    return part ? to_json (part) : "(none)";
  }
  std::string root_;
  Ref<NebulaSystem> system_;
};

TEST_F (SystemTest, AnEmptyMachineTellsNothing)
{
  EXPECT_EQ (get ("cpu"), "null");
  EXPECT_EQ (get ("memory"), "null");
  EXPECT_EQ (get ("disks"), "[]");
  EXPECT_EQ (get ("network"), "[]");
  EXPECT_EQ (get ("process"), "null");
  EXPECT_EQ (get ("processes"), "{\"count\":0}");
  EXPECT_EQ (get ("temperatures"), "[]");
  EXPECT_EQ (get ("cgroup"), "null");
  EXPECT_EQ (get ("pressure"), "{\"cpu\":null,\"memory\":null,\"io\":null}");
  EXPECT_EQ (nebula_system_get_memory_limit (system_.get ()), 0u);
  EXPECT_EQ (nebula_system_get_memory_used (system_.get ()), 0u);
}

TEST_F (SystemTest, ReadsProcessorsAndMemory)
{
  put_machine (512);
  put ("proc/loadavg", "0.50 1.25 2.00 3/123 4567\n");
  EXPECT_EQ (get ("cpu"), "{\"count\":2,\"load\":[0.5,1.25,2],\"percent\":15}");
  EXPECT_EQ (get ("memory"), "{\"total\":1073741824,\"available\":536870912,\"free\":104857600,\"cached\":209715200,"
                             "\"swap_total\":2097152,\"swap_free\":1048576}");
  /* Since the last reading: 90 of 100 ticks were busy. */
  Value first (nebula_system_read (system_.get ()));
  put ("proc/stat", "cpu  190 0 50 810 50 0 0 0 0 0\ncpu0 1 0 0 0 0\n");
  EXPECT_EQ (get ("cpu.percent"), "90");
  EXPECT_EQ (nebula_system_get_memory_limit (system_.get ()), 1u << 30);
  EXPECT_EQ (nebula_system_get_memory_used (system_.get ()), 1u << 29);
}

TEST_F (SystemTest, ReadsDisksOnce)
{
  put ("proc/self/mounts", "proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n/dev/vda /again ext4 rw 0 0\n"
                           "/dev/vdb /with\\040blank ext4 rw 0 0\n/dev/vdc /missing ext4 rw 0 0\nbroken\n");
  g_mkdir ((root_ + "/with blank").c_str (), 0755);
  EXPECT_EQ (get ("disks[0].path"), "\"/\"");
  EXPECT_EQ (get ("disks[0].type"), "\"ext4\"");
  EXPECT_EQ (get ("disks[1].path"), "\"/with blank\"");
  EXPECT_EQ (get ("disks[2]"), "(none)");
}

TEST_F (SystemTest, ReadsTheNetwork)
{
  put ("proc/net/dev", "Inter-|   Receive                                                |  Transmit\n"
                       " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
                       "  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\nwlan0: 1 2\n");
  EXPECT_EQ (get ("network"), "[{\"name\":\"eth0\",\"received_bytes\":1000,\"sent_bytes\":2000,\"received_packets\":10,"
                              "\"sent_packets\":20,\"errors\":4,\"dropped\":6}]");
}

TEST_F (SystemTest, ReadsProcesses)
{
  put_machine (512);
  put ("proc/self/status", "Name:\tnebula\nPid:\t42\nVmSize:\t 20480 kB\nVmHWM:\t 10240 kB\nVmRSS:\t 5120 kB\nThreads:\t4\n");
  put ("proc/self/fd/0", "");
  put ("proc/self/fd/1", "");
  put ("proc/1/stat", "");
  put ("proc/42/stat", "");
  EXPECT_EQ (get ("process"), "{\"id\":42,\"resident\":5242880,\"peak\":10485760,\"virtual\":20971520,\"threads\":4,\"open_files\":2}");
  EXPECT_EQ (get ("processes"), "{\"count\":2,\"running\":3}");
}

TEST_F (SystemTest, ReadsControlGroupsOfVersion2UpToTheRoot)
{
  put_machine (512);
  put ("proc/self/cgroup", "0::/a.slice/b.scope\n");
  put ("sys/fs/cgroup/a.slice/memory.max", "268435456\n");
  put ("sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n");
  put ("sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n");
  put ("sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
  put ("sys/fs/cgroup/a.slice/b.scope/memory.current", "134217728\n");
  put ("sys/fs/cgroup/a.slice/b.scope/pids.max", "500\n");
  put ("sys/fs/cgroup/a.slice/b.scope/pids.current", "7\n");
  EXPECT_EQ (get ("cgroup"), "{\"version\":2,\"path\":\"/a.slice/b.scope\",\"memory_limit\":268435456,\"memory_used\":134217728,"
                             "\"cpu_limit\":1.5,\"pids_limit\":500,\"pids_used\":7}");
  EXPECT_EQ (nebula_system_get_memory_limit (system_.get ()), 268435456u);
  EXPECT_EQ (nebula_system_get_memory_used (system_.get ()), 134217728u);
}

/* A container sees its own group as the root, and the path of the host. */
TEST_F (SystemTest, ReadsTheRootOfAContainer)
{
  put ("proc/self/cgroup", "0::/\n");
  put ("sys/fs/cgroup/memory.max", "1000000\n");
  put ("sys/fs/cgroup/memory.current", "5000\n");
  EXPECT_EQ (get ("cgroup.memory_limit"), "1000000");
  EXPECT_EQ (get ("cgroup.memory_used"), "5000");
  EXPECT_EQ (get ("cgroup.cpu_limit"), "null");
}

TEST_F (SystemTest, ReadsControlGroupsOfVersion1)
{
  put ("proc/self/cgroup", "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n3:pids:/docker/x\n0::/\n");
  put ("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "9223372036854771712\n");
  put ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n");
  put ("sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes", "4000\n");
  put ("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "50000\n");
  put ("sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
  put ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put ("sys/fs/cgroup/pids/docker/x/pids.max", "max\n");
  EXPECT_EQ (get ("cgroup"), "{\"version\":1,\"path\":\"/docker/x\",\"memory_limit\":2000000,\"memory_used\":4000,"
                             "\"cpu_limit\":0.5,\"pids_limit\":null,\"pids_used\":null}");
}

TEST_F (SystemTest, ReadsPressureAndTemperatures)
{
  put ("proc/pressure/memory", "some avg10=12.50 avg60=3.00 avg300=1.00 total=123456\nfull avg10=10.00 avg60=0.00 avg300=0.00 total=7\n");
  put ("proc/pressure/cpu", "some avg10=nonsense\n");
  put ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
  put ("sys/class/thermal/thermal_zone0/temp", "45500\n");
  put ("sys/class/thermal/cooling_device0/type", "Fan\n");
  put ("sys/class/hwmon/hwmon0/name", "nvme\n");
  put ("sys/class/hwmon/hwmon0/temp1_input", "38000\n");
  put ("sys/class/hwmon/hwmon0/temp1_crit", "90000\n");
  put ("sys/class/hwmon/hwmon0/temp2_input", "nonsense\n");
  EXPECT_EQ (get ("pressure.memory.some"), "{\"avg10\":12.5,\"avg60\":3,\"avg300\":1,\"total_us\":123456}");
  EXPECT_EQ (get ("pressure.cpu"), "{\"some\":null}");
  EXPECT_EQ (get ("temperatures"), "[{\"name\":\"x86_pkg_temp\",\"celsius\":45.5},{\"name\":\"nvme\",\"celsius\":38}]");
}

/* This machine. */
TEST (RealSystem, IsRead)
{
  Ref<NebulaSystem> system (nebula_system_new (nullptr));
  Value reading (nebula_system_read (system.get ()));
  auto number = [&] (const char *path) {
    NebulaValue *part = nebula_value_get_path (reading.get (), path);
    return part && nebula_value_is_number (part) ? nebula_value_get_float (part) : -1.0;
  };

  EXPECT_GE (number ("cpu.count"), 1);
  EXPECT_GE (number ("cpu.percent"), 0);
  EXPECT_GT (number ("memory.total"), number ("memory.available"));
  EXPECT_EQ (number ("process.id"), getpid ());
  EXPECT_GT (number ("process.resident"), 1e6);
  EXPECT_GE (number ("process.open_files"), 3);
  EXPECT_GE (number ("processes.count"), 1);
  EXPECT_GT (nebula_system_get_memory_limit (system.get ()), 1u << 20);
  EXPECT_GT (nebula_system_get_memory_used (system.get ()), 0u);
}

class MonitorTest : public SystemTest
{
protected:
  void SetUp () override
  {
    SystemTest::SetUp ();
    put_machine (512);
    monitor_ = Ref<NebulaSystemMonitor> (nebula_system_monitor_new (system_.get (), NEBULA_CLOCK (clock_.get ())));
  }
  std::string check ()
  {
    return to_json (Value (nebula_system_monitor_check (monitor_.get ())));
  }
  void advance (gint64 usec)
  {
    nebula_manual_clock_advance (clock_.get (), usec);
    while (g_main_context_iteration (context_, FALSE))
      ;
  }
  Ref<NebulaManualClock> clock_{nebula_manual_clock_new (0, 1)};
  Ref<NebulaSystemMonitor> monitor_;
};

TEST_F (MonitorTest, ChecksWhetherAllIsWell)
{
  EXPECT_EQ (check (), "{\"status\":\"healthy\",\"checks\":{\"memory\":{\"status\":\"healthy\"},\"disk\":{\"status\":\"healthy\"},"
                       "\"temperature\":{\"status\":\"healthy\"},\"pressure\":{\"status\":\"healthy\"}}}");
  put_machine (80);
  EXPECT_NE (check ().find ("\"memory\":{\"status\":\"degraded\",\"reason\":\"92 % of the memory is in use.\"}"), std::string::npos) << check ();
  put_machine (10);
  EXPECT_EQ (check ().find ("{\"status\":\"unhealthy\""), 0u) << check ();
  put_machine (512);
  put ("sys/class/thermal/thermal_zone0/temp", "90000\n");
  EXPECT_NE (check ().find ("The machine is 90 °C hot."), std::string::npos) << check ();
  put ("proc/pressure/io", "full avg10=70.00 avg60=0.00 avg300=0.00 total=7\n");
  EXPECT_NE (check ().find ("Work waits for the disk 70 % of the time."), std::string::npos) << check ();
}

TEST_F (MonitorTest, RunsChecksOfOthers)
{
  bool freed = false;

  nebula_system_monitor_add_check (
      monitor_.get (), "store",
      [] (NebulaValue *, char **ret_reason, gpointer) -> NebulaHealth {
        *ret_reason = g_strdup ("The store is full.");
        return NEBULA_HEALTH_UNHEALTHY;
      },
      &freed, [] (gpointer flag) { *(bool *) flag = true; });
  EXPECT_NE (check ().find ("\"store\":{\"status\":\"unhealthy\",\"reason\":\"The store is full.\"}"), std::string::npos);
  nebula_system_monitor_add_check (
      monitor_.get (), "store", [] (NebulaValue *, char **, gpointer) { return NEBULA_HEALTH_HEALTHY; }, nullptr, nullptr);
  EXPECT_TRUE (freed);
  EXPECT_EQ (check ().find ("{\"status\":\"healthy\""), 0u);
}

TEST_F (MonitorTest, KeepsABudgetInformed)
{
  Ref<NebulaBudget> budget (nebula_budget_new (nebula_system_get_memory_limit (system_.get ())));
  std::vector<int> told;

  g_signal_connect (monitor_.get (), "health-changed",
                    G_CALLBACK (+[] (NebulaSystemMonitor *, NebulaHealth health, std::vector<int> *list) { list->push_back (health); }), &told);
  nebula_system_monitor_set_budget (monitor_.get (), budget.get ());
  nebula_system_monitor_start (monitor_.get (), G_USEC_PER_SEC);
  advance (G_USEC_PER_SEC - 1);
  EXPECT_EQ (nebula_budget_get_used_bytes (budget.get ()), 0u);
  advance (1);
  EXPECT_EQ (nebula_budget_get_used_bytes (budget.get ()), 1u << 29);
  put_machine (20);
  advance (G_USEC_PER_SEC);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_HIGH);
  EXPECT_EQ (told, std::vector<int>{NEBULA_HEALTH_UNHEALTHY});

  /* Nothing seems to be short, but work stalls. */
  put_machine (900);
  put ("proc/pressure/memory", "full avg10=15.00 avg60=0.00 avg300=0.00 total=7\n");
  advance (G_USEC_PER_SEC);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_HIGH);
  put ("proc/pressure/memory", "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  advance (G_USEC_PER_SEC);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_NONE);
  EXPECT_EQ (told.back (), NEBULA_HEALTH_HEALTHY);

  nebula_system_monitor_stop (monitor_.get ());
  put_machine (20);
  advance (10 * G_USEC_PER_SEC);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_NONE);
}

} // namespace
