#!/bin/sh
# Boots a Debian root as a machine of its own: usage: boot_systemd.sh ROOT EXTRA
#
# ROOT is left as it is: what the machine writes goes to memory, and is gone with it. What stands in EXTRA is laid over it. The
# machine shares the network of this one, and nothing else. It ends when its process 1 ends; SIGTERM to this script kills it.
# Needs root, and a kernel that lets it mount: cgroup2, overlay, tmpfs.
set -eu

# --- inside the new namespaces ---

lay_over() {
    mount -t tmpfs -o mode=755 none "$top"
    mkdir "$top/upper" "$top/work" "$top/root"
    mount -t overlay -o "lowerdir=$root,upperdir=$top/upper,workdir=$top/work" none "$top/root"
    cp -a "$extra/." "$top/root/"
}

mount_kernel_files() {
    mount -t proc none proc
    mount -t sysfs -o ro none sys
    mount -t cgroup2 none sys/fs/cgroup
    mount -t tmpfs -o mode=755 none run
    mount -t tmpfs none tmp
}

make_devices() {
    mount -t tmpfs -o mode=755 none dev
    for name in null zero full random urandom tty; do
        : >"dev/$name"
        mount --bind "/dev/$name" "dev/$name"
    done
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
    mount -t tmpfs none dev/shm
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
}

if [ "${1:-}" = --inside ]; then
    root=$2 extra=$3 top=$4
    lay_over
    cd "$top/root"
    mount_kernel_files
    make_devices
    hostname regwarden-test
    mkdir before
    pivot_root . before
    cd /
    umount -l before
    mount --make-rshared / # or credentials never reach the services: they are mounted by a helper in a namespace of its own
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test TERM=dumb /lib/systemd/systemd --show-status=false \
        --log-target=journal </dev/null >/run/boot.log 2>&1
fi

# --- outside ---

root=$1 extra=$2
top=$(mktemp -d)
groups=$(mktemp -d)
mount -t cgroup2 none "$groups"
group=$groups/regwarden-test-$$
mkdir "$group"

clean_up() {
    trap - EXIT TERM INT
    echo $$ >"$groups/cgroup.procs" || true
    if [ -e "$group/cgroup.kill" ]; then echo 1 >"$group/cgroup.kill"; fi
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.1
    done
    umount -l "$groups"
    rmdir "$groups" "$top"
}
trap clean_up EXIT
trap 'kill -KILL $machine; exit 1' TERM INT

echo $$ >"$group/cgroup.procs"
unshare --mount --propagation private --pid --fork --kill-child --cgroup --uts --ipc "$0" --inside "$root" "$extra" "$top" &
machine=$!
wait $machine || true
