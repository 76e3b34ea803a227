/*
 * Attempts of a hostile script or package to reach the machine that builds. tests/images/escapes.rs compiles this program, which
 * runs in a tree and prints a line for each attempt:
 *
 *     ESCAPE <where> <attempt> held|escaped|missing <error number>
 *
 * missing: this kernel does not have what the attempt is about. `attempts --list` prints the names of all attempts, and
 * `attempts --start COMMAND..` starts kiwi as a careless operator would: with a key in its session keyring and a descriptor of
 * the host's root.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum result { HELD, ESCAPED, MISSING };

/* What the host has; from /usr/lib/escapes/host, one value a line. */
static char canary[256], secret[64], host_pid[16], port[16], abstract[64];

/* A system call that must fail; the kernel may not have it. */
static enum result fails(long result)
{
	return result >= 0 ? ESCAPED : errno == ENOSYS ? MISSING : HELD;
}
/* A call that a filter may hide as well: there the kernel's own answer would be another one. */
static enum result refused(long result) { return result >= 0 ? ESCAPED : HELD; }
/* A call that only a privilege of the machine allows: any other error than a refusal comes after the kernel has granted it. */
static enum result granted(long result)
{
	if (result < 0 && errno == ENOSYS) return MISSING;
	return result < 0 && (errno == EPERM || errno == EACCES) ? HELD : ESCAPED;
}

static enum result writable(const char *path)
{
	if (access(path, F_OK)) return MISSING;
	int file = open(path, O_WRONLY);
	if (file < 0) return HELD;
	close(file);
	return ESCAPED;
}

static enum result readable(const char *path)
{
	char bytes[8];
	if (access(path, F_OK)) return MISSING;
	int file = open(path, O_RDONLY | O_NONBLOCK);
	if (file < 0) return HELD;
	/* Files of one number for each page are read in units of eight bytes only. */
	ssize_t count = read(file, bytes, sizeof bytes);
	close(file);
	return count > 0 ? ESCAPED : HELD;
}

/* Whether the canary of the host is found below a directory that is open. */
static int canary_below(int directory)
{
	int file = openat(directory, canary + 1, O_RDONLY);
	if (file < 0) return 0;
	close(file);
	return 1;
}

static int contains_secret(const char *path)
{
	static char text[1 << 16];
	int file = open(path, O_RDONLY);
	if (file < 0) return 0;
	ssize_t count = read(file, text, sizeof text);
	close(file);
	return count > 0 && memmem(text, count, secret, strlen(secret)) != NULL;
}

static enum result for_processes(int (*is_bad)(const char *process))
{
	DIR *processes = opendir("/proc");
	enum result result = HELD;
	for (struct dirent *entry; (entry = readdir(processes));) {
		char path[300];
		snprintf(path, sizeof path, "/proc/%s", entry->d_name);
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_bad(path)) result = ESCAPED;
	}
	closedir(processes);
	return result;
}

static int has_host_files(const char *process)
{
	char path[700];
	for (int number = -2; number < 64; number++) {
		if (number == -2) snprintf(path, sizeof path, "%s/root", process);
		else if (number == -1) snprintf(path, sizeof path, "%s/cwd", process);
		else snprintf(path, sizeof path, "%s/fd/%d", process, number);
		int directory = open(path, O_RDONLY | O_DIRECTORY);
		if (directory < 0) continue;
		int bad = canary_below(directory);
		close(directory);
		if (bad) return 1;
	}
	return 0;
}
static int has_secret_environment(const char *process)
{
	char path[300];
	snprintf(path, sizeof path, "%s/environ", process);
	return contains_secret(path);
}
static int is_kiwi(const char *process)
{
	char path[300], text[64] = "";
	snprintf(path, sizeof path, "%s/comm", process);
	int file = open(path, O_RDONLY);
	if (file >= 0 && read(file, text, sizeof text - 1) > 0) close(file);
	return strncmp(text, "kiwi", 4) == 0;
}
static enum result proc_root(void) { return for_processes(has_host_files); }
static enum result proc_environ(void) { return for_processes(has_secret_environment); }
static enum result proc_kiwi(void) { return for_processes(is_kiwi); }

static enum result pid1_memory(void)
{
	FILE *maps = fopen("/proc/1/maps", "r");
	int memory = open("/proc/1/mem", O_RDONLY);
	static char text[1 << 20];
	unsigned long start, end;
	enum result result = HELD;
	while (maps && memory >= 0 && fscanf(maps, "%lx-%lx %*[^\n]", &start, &end) == 2)
		for (; start < end; start += sizeof text / 2) {
			ssize_t count = pread(memory, text, sizeof text, start);
			if (count > 0 && memmem(text, count, secret, strlen(secret))) result = ESCAPED;
		}
	return result;
}
/* A program that runs cannot be written, but an open file of it can be opened again after its end. */
static enum result pid1_program(void)
{
	struct stat status;
	int file = open("/proc/1/exe", O_PATH);
	if (file < 0 || fstat(file, &status)) return HELD;
	return status.st_size > 65536 ? ESCAPED : HELD;
}
static enum result ptrace_pid1(void) { return fails(ptrace(PTRACE_SEIZE, 1, 0, 0)); }
static enum result ptrace_parent(void) { return fails(ptrace(PTRACE_SEIZE, getppid(), 0, 0)); }
static enum result vm_read(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)0x400000, 1 };
	return fails(process_vm_readv(1, &to, 1, &from, 1, 0));
}
static enum result pidfd_files(void) { return fails(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 0, 0)); }
static enum result kill_host(void) { return kill(atoi(host_pid), SIGKILL) == 0 && atoi(host_pid) > 1000 ? ESCAPED : HELD; }

static enum result mounted(const char *kind)
{
	mkdir("/escape-mount", 0755);
	if (mount("none", "/escape-mount", kind, 0, NULL) == 0) return ESCAPED;
	return errno == ENODEV ? MISSING : HELD;
}
static enum result mount_tmpfs(void) { return mounted("tmpfs"); }
static enum result mount_proc(void) { return mounted("proc"); }
static enum result mount_sysfs(void) { return mounted("sysfs"); }
static enum result mount_cgroup(void) { return mounted("cgroup2"); }
static enum result mount_binfmt(void) { return mounted("binfmt_misc"); }
static enum result mount_devtmpfs(void) { return mounted("devtmpfs"); }
static enum result mount_mqueue(void) { return mounted("mqueue"); }
static enum result mount_bind(void) { return fails(mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL)); }
static enum result remount_root(void) { return fails(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static enum result remount_proc(void) { return fails(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static enum result umount_proc(void) { return fails(umount2("/proc", MNT_DETACH)); }
static enum result umount_masked(void) { return fails(umount2("/proc/keys", MNT_DETACH)); }
static enum result umount_root(void) { return fails(umount2("/", MNT_DETACH)); }
static enum result fs_open(void) { return fails(syscall(SYS_fsopen, "proc", 0)); }
static enum result tree_open(void) { return fails(syscall(SYS_open_tree, AT_FDCWD, "/", 1)); }
static enum result tree_move(void) { return fails(syscall(SYS_move_mount, AT_FDCWD, "/run", AT_FDCWD, "/mnt", 0)); }
static enum result mount_attributes(void)
{
	unsigned long long attributes[4] = { 0, 1, 0, 0 };
	return fails(syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0, attributes, sizeof attributes));
}
/* /dev is a mount of its own; the old root would come over it. */
static enum result pivot(void) { return fails(syscall(SYS_pivot_root, "/dev", "/dev")); }

static enum result leave_chroot(void)
{
	pid_t child = fork();
	if (child == 0) {
		int root = open("/", O_RDONLY | O_DIRECTORY);
		mkdir("/escape-root", 0755);
		if (chroot("/escape-root")) _exit(0);
		fchdir(root);
		for (int count = 0; count < 64; count++) chdir("..");
		_exit(canary_below(AT_FDCWD));
	}
	int status;
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) ? ESCAPED : HELD;
}
static enum result host_path(void) { return readable(canary) == ESCAPED ? ESCAPED : HELD; }

static enum result enter(const char *name, int kind)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/1/ns/%s", name);
	return fails(setns(open(path, O_RDONLY), kind));
}
static enum result setns_user(void) { return enter("user", CLONE_NEWUSER); }
static enum result setns_mount(void) { return enter("mnt", CLONE_NEWNS); }
static enum result setns_net(void) { return enter("net", CLONE_NEWNET); }
static enum result in_child(int flags)
{
	pid_t child = fork();
	if (child == 0) _exit(unshare(flags) ? errno : 0);
	int status;
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? HELD : ESCAPED;
}
static enum result unshare_user(void) { return in_child(CLONE_NEWUSER); }
static enum result unshare_mount(void) { return in_child(CLONE_NEWNS); }
static enum result unshare_net(void) { return in_child(CLONE_NEWNET); }
static enum result clone_user(void)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) _exit(0);
	return fails(child);
}
static enum result clone3_user(void)
{
	unsigned long long arguments[11] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
	long child = syscall(SYS_clone3, arguments, 64);
	if (child == 0) _exit(0);
	return refused(child);
}

static enum result descriptors(void)
{
	for (int number = 3; number < 1024; number++)
		if (number != 3 && fcntl(number, F_GETFD) >= 0) return ESCAPED;
	return HELD;
}
static enum result controlling_terminal(void) { return open("/dev/tty", O_RDWR | O_NOCTTY) >= 0 ? ESCAPED : HELD; }
static enum result type_on(int file, unsigned long command)
{
	char byte = 'x';
	return ioctl(file, command, &byte) == 0 ? ESCAPED : errno == EPERM || errno == EBADF ? HELD : ESCAPED;
}
static enum result tiocsti(void) { return type_on(1, TIOCSTI); }
static enum result tiocsti_wide(void) { return type_on(1, TIOCSTI | 1UL << 32); }
static enum result tioclinux(void) { return type_on(1, TIOCLINUX); }

static enum result key_search(void) { return refused(syscall(SYS_keyctl, 10, -3, "user", "kiwi-canary", 0)); }
static enum result key_add(void) { return refused(syscall(SYS_add_key, "user", "x", "x", 1, -3)); }
static enum result key_request(void) { return refused(syscall(SYS_request_key, "user", "kiwi-canary", NULL, -3)); }

static enum result core_pattern(void) { return writable("/proc/sys/kernel/core_pattern"); }
static enum result modprobe_path(void) { return writable("/proc/sys/kernel/modprobe"); }
static enum result hotplug(void) { return writable("/proc/sys/kernel/hotplug"); }
static enum result uevent_helper(void) { return writable("/sys/kernel/uevent_helper"); }
static enum result sysrq(void) { return writable("/proc/sysrq-trigger"); }
static enum result irq(void) { return writable("/proc/irq/default_smp_affinity"); }
static enum result overcommit(void) { return writable("/proc/sys/vm/overcommit_memory"); }
static enum result pid_max(void) { return writable("/proc/sys/kernel/pid_max"); }
static enum result forwarding(void) { return writable("/proc/sys/net/ipv4/conf/all/forwarding"); }
static enum result more_namespaces(void) { return writable("/proc/sys/user/max_user_namespaces"); }
static enum result binfmt(void) { return writable("/proc/sys/fs/binfmt_misc/register"); }
static enum result mtrr(void) { return writable("/proc/mtrr"); }
/* The owner of a file of the machine's root: uid 0 here must be another user, who has no rights in /proc and /sys. */
static enum result root_of_machine(void)
{
	struct stat facts;
	return stat("/dev/null", &facts) || facts.st_uid == 0 ? ESCAPED : HELD;
}
static enum result uid_map(void) { return writable("/proc/self/uid_map"); }
static enum result release_agent(void) { return writable("/sys/fs/cgroup/release_agent"); }
static enum result kcore(void) { return readable("/proc/kcore"); }
static enum result kmsg(void) { return readable("/proc/kmsg"); }
static enum result keys(void) { return readable("/proc/keys"); }
static enum result kallsyms(void) { return readable("/proc/kallsyms"); }
static enum result iomem(void) { return readable("/proc/iomem"); }
static enum result page_flags(void) { return readable("/proc/kpageflags"); }
static enum result timers(void) { return readable("/proc/timer_list"); }
static enum result sys(void) { return readable("/sys/kernel/profiling"); }
static enum result kernel_log(void) { char text[64]; return refused(syscall(SYS_syslog, 3, text, sizeof text)); }

static enum result device_node(void)
{
	struct stat status;
	static const int majors[] = { 254, 253, 259, 8, 7 };
	for (int number = 0; number < 5; number++) {
		unlink("/escape-node");
		if (mknod("/escape-node", S_IFBLK | 0600, makedev(majors[number], 0))) continue;
		int file = open("/escape-node", O_RDWR);
		if (file >= 0 && fstat(file, &status) == 0 && S_ISBLK(status.st_mode)) return ESCAPED;
		close(file);
	}
	unlink("/escape-node");
	return HELD;
}
static enum result dev_directory(void)
{
	DIR *directory = opendir("/dev");
	struct stat status;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0
		    && (S_ISBLK(status.st_mode) || (S_ISCHR(status.st_mode)
		    && !strstr("null zero full random urandom tty", entry->d_name)))) return ESCAPED;
	return HELD;
}
/* The mode of the host's node; it stays what it is even if that is possible. */
static enum result dev_null_mode(void) { return chmod("/dev/null", 0666) == 0 ? ESCAPED : HELD; }
static enum result file_handle(void)
{
	struct { struct file_handle head; unsigned inode, generation; } handle = { { 8, 1 }, 2, 0 };
	return fails(open_by_handle_at(open("/", O_RDONLY), &handle.head, O_RDONLY));
}
static enum result bpf(void) { unsigned map[18] = { 2, 4, 4, 1 }; return fails(syscall(SYS_bpf, 0, map, sizeof map)); }
static enum result io_uring(void) { char parameters[120] = ""; return refused(syscall(SYS_io_uring_setup, 1, parameters)); }
static enum result fault_descriptor(void) { return fails(syscall(SYS_userfaultfd, 1)); }
static enum result perf(void) { unsigned event[32] = { 1, 128, 0 }; return fails(syscall(SYS_perf_event_open, event, 0, -1, -1, 0)); }
static enum result notify(void) { return fails(syscall(SYS_fanotify_init, 0, 0)); }
static enum result module(void) { return granted(syscall(SYS_finit_module, open("/bin/sh", O_RDONLY), "", 0)); }
static enum result kexec(void) { return fails(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static enum result restart(void) { return granted(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL)); }
static enum result swap(void) { return granted(syscall(SYS_swapon, "/swap", 0)); }
static enum result accounting(void) { return fails(syscall(SYS_acct, NULL)); }
/* Q_SYNC of all file systems, which needs no privilege. */
static enum result quota(void) { return fails(syscall(SYS_quotactl, 0x800001 << 8, NULL, 0, NULL)); }
static enum result clock_set(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return fails(clock_settime(CLOCK_REALTIME, &now));
}
static enum result host_name(void) { return fails(sethostname("escaped", 7)); }
static enum result domain_name(void) { return fails(setdomainname("escaped", 7)); }
static enum result domain(void) { return fails(syscall(SYS_personality, 0x0040000)); }

#ifdef __x86_64__
static long by_i386(long number, const char *first, const char *second, long third)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third), "S"(0), "D"(0) : "memory");
	errno = result < 0 ? -result : 0;
	return result;
}
/* A signal ends the attempt where the kernel has no calls of i386. */
static enum result i386_mount(void) { return fails(by_i386(52, "/proc/iomem", (const char *)MNT_DETACH, 0)); }
static enum result i386_user(void) { return fails(by_i386(310, (const char *)CLONE_NEWUSER, NULL, 0)); }
static unsigned of_vsock[3] = { AF_VSOCK, SOCK_STREAM, 0 };
static enum result i386_vsock(void) { return refused(by_i386(102, (const char *)1, (const char *)of_vsock, 0)); }
static enum result x32_mount(void) { return refused(syscall(0x40000000 | SYS_umount2, "/proc/kallsyms", MNT_DETACH)); }
#else
static enum result i386_mount(void) { return MISSING; }
static enum result i386_user(void) { return MISSING; }
static enum result i386_vsock(void) { return MISSING; }
static enum result x32_mount(void) { return MISSING; }
#endif

static enum result family(int number, int type)
{
	int file = socket(number, type, 0);
	return file >= 0 ? ESCAPED : HELD;
}
static enum result vsock(void) { return family(AF_VSOCK, SOCK_STREAM); }
static enum result packet(void) { return family(AF_PACKET, SOCK_RAW); }
static enum result crypto(void) { return family(AF_ALG, SOCK_SEQPACKET); }
static enum result raw(void) { int file = socket(AF_INET, SOCK_RAW, 1); return file >= 0 ? ESCAPED : HELD; }
static enum result abstract_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path + 1, abstract, strlen(abstract));
	int file = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(file, (void *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract))) return HELD;
	/* With the host's network only Landlock can prevent it, from version 6 on. */
	return syscall(444, NULL, 0, 1) < 6 ? MISSING : ESCAPED;
}
static struct sockaddr_in local(int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(number) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}
static enum result host_port(void)
{
	struct sockaddr_in address = local(atoi(port));
	return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&address, sizeof address) ? HELD : ESCAPED;
}
/* No attempt, but a need of packages: a service on a low port of the loopback interface answers. */
static enum result loopback(void)
{
	struct sockaddr_in address = local(25);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server, (void *)&address, sizeof address) || listen(server, 1)) return ESCAPED;
	return connect(client, (void *)&address, sizeof address) ? ESCAPED : HELD;
}
static enum result outside(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
	inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
	return connect(socket(AF_INET, SOCK_DGRAM, 0), (void *)&address, sizeof address) ? HELD : ESCAPED;
}

static enum result capabilities(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long set;
	for (char line[256]; fgets(line, sizeof line, status);)
		if (sscanf(line, "CapBnd: %llx", &set) == 1 || sscanf(line, "CapEff: %llx", &set) == 1)
			if (set & ~0xa80425fbULL) return ESCAPED;
	return HELD;
}
static enum result core_limit(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	return fails(setrlimit(RLIMIT_CORE, &limit));
}
static enum result process_limit(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NPROC, &limit);
	return limit.rlim_max <= 16384 ? HELD : ESCAPED;
}
static enum result memory_limit(void)
{
	const char *paths[] = { "/run", "/dev", "/dev/shm" };
	struct statvfs status;
	for (int number = 0; number < 3; number++)
		if (statvfs(paths[number], &status) || status.f_blocks * status.f_frsize > 512u << 20) return ESCAPED;
	return HELD;
}

/* What changes the view of later attempts comes last. */
#define TRY(name) { #name, name }
static const struct { const char *name; enum result (*run)(void); } ATTEMPTS[] = {
	TRY(host_path), TRY(descriptors), TRY(leave_chroot), TRY(proc_root), TRY(proc_environ), TRY(proc_kiwi),
	TRY(pid1_memory), TRY(pid1_program), TRY(ptrace_pid1), TRY(ptrace_parent), TRY(vm_read), TRY(pidfd_files),
	TRY(kill_host), TRY(fs_open), TRY(tree_open), TRY(setns_user), TRY(setns_mount), TRY(setns_net),
	TRY(unshare_user), TRY(unshare_mount), TRY(unshare_net), TRY(clone_user), TRY(clone3_user),
	TRY(controlling_terminal), TRY(tiocsti), TRY(tiocsti_wide), TRY(tioclinux), TRY(key_search), TRY(key_add),
	TRY(key_request), TRY(core_pattern), TRY(modprobe_path), TRY(hotplug), TRY(uevent_helper), TRY(sysrq), TRY(irq),
	TRY(overcommit), TRY(pid_max), TRY(forwarding), TRY(more_namespaces), TRY(binfmt), TRY(mtrr), TRY(uid_map),
	TRY(root_of_machine),
	TRY(release_agent), TRY(kcore), TRY(kmsg), TRY(keys), TRY(kallsyms), TRY(iomem), TRY(page_flags), TRY(timers),
	TRY(sys), TRY(kernel_log), TRY(device_node), TRY(dev_directory), TRY(dev_null_mode), TRY(file_handle), TRY(bpf),
	TRY(io_uring), TRY(fault_descriptor), TRY(perf), TRY(notify), TRY(module), TRY(kexec), TRY(restart), TRY(swap),
	TRY(accounting), TRY(quota), TRY(clock_set), TRY(domain), TRY(i386_user), TRY(i386_vsock), TRY(vsock),
	TRY(packet), TRY(crypto), TRY(raw), TRY(abstract_socket), TRY(host_port), TRY(loopback), TRY(outside),
	TRY(capabilities), TRY(process_limit), TRY(memory_limit), TRY(umount_masked), TRY(i386_mount), TRY(x32_mount),
	TRY(mount_tmpfs), TRY(mount_proc), TRY(mount_sysfs), TRY(mount_cgroup), TRY(mount_binfmt), TRY(mount_devtmpfs),
	TRY(mount_mqueue), TRY(mount_bind), TRY(remount_root), TRY(remount_proc), TRY(tree_move), TRY(mount_attributes),
	TRY(host_name), TRY(domain_name), TRY(core_limit), TRY(umount_proc), TRY(pivot), TRY(umount_root),
};

static void line(FILE *file, char *to, size_t size)
{
	if (!fgets(to, size, file)) exit(2);
	to[strcspn(to, "\n")] = 0;
}

int main(int count, char **arguments)
{
	if (count > 2 && !strcmp(arguments[1], "--start")) {
		syscall(SYS_keyctl, 1, "kiwi-test");
		syscall(SYS_add_key, "user", "kiwi-canary", "x", 1, -3);
		dup2(open("/", O_RDONLY | O_DIRECTORY), 9);
		execvp(arguments[2], arguments + 2);
		return 127;
	}
	if (count == 2 && !strcmp(arguments[1], "--list")) {
		for (size_t number = 0; number < sizeof ATTEMPTS / sizeof *ATTEMPTS; number++) puts(ATTEMPTS[number].name);
		return 0;
	}
	FILE *host = fopen("/usr/lib/escapes/host", "r");
	if (!host) return 2;
	line(host, canary, sizeof canary), line(host, secret, sizeof secret), line(host, host_pid, sizeof host_pid);
	line(host, port, sizeof port), line(host, abstract, sizeof abstract);
	fclose(host);
	for (size_t number = 0; number < sizeof ATTEMPTS / sizeof *ATTEMPTS; number++) {
		static const char *const words[] = { "held", "escaped", "missing" };
		int result[2] = { HELD, 0 }, ends[2];
		/* Each attempt has a process of its own, which a filter may end. */
		pipe(ends);
		pid_t child = fork();
		if (child == 0) {
			close(ends[0]);
			if (ends[1] != 3) dup2(ends[1], 3), close(ends[1]);
			errno = 0;
			result[0] = ATTEMPTS[number].run(), result[1] = errno;
			write(3, result, sizeof result);
			_exit(0);
		}
		close(ends[1]);
		if (read(ends[0], result, sizeof result) != sizeof result) result[0] = MISSING, result[1] = 0;
		close(ends[0]);
		waitpid(child, NULL, 0);
		printf("ESCAPE %s %s %s %d\n", arguments[1], ATTEMPTS[number].name, words[result[0]], result[1]);
		fflush(stdout);
	}
	return 0;
}
