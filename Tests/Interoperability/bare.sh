#!/usr/bin/env bash
# Starts the program where nothing is installed but libsndfile, FFTW and what a bare Debian has: a root of its own (chroot),
# made of the libraries of those two packages, of libstdc++6, which apt needs, and of all that they depend on. Debian or
# Ubuntu; run as root, or with sudo.
#
#     Tests/Interoperability/bare.sh .build/release/auricle
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
root=$(mktemp -d)
trap 'umount "$root/proc" 2> /dev/null || $(command -v sudo) umount "$root/proc" 2> /dev/null || true; rm -rf --one-file-system "$root"' EXIT

packages=$(dpkg-query -W -f '${Package}\n' 'libsndfile1*' 'libfftw3-single3*' 'libstdc++6*' | grep -v -- -dev)
all=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  --installed $packages | grep -o '^[a-z0-9][a-z0-9.+-]*' | sort -u)
for package in $all; do
  dpkg -L "$package" 2> /dev/null || true
done | grep -E '\.so(\.|$)' | sort -u | while read -r file; do
  if [ -f "$file" ]; then mkdir -p "$root$(dirname "$file")" && cp -P "$file" "$root$file"; fi
done
# Where / and /usr are one.
for folder in lib lib64; do
  if [ -L "/$folder" ]; then
    if [ -d "$root/$folder" ]; then mkdir -p "$root/usr/$folder" && cp -rPn "$root/$folder/." "$root/usr/$folder" && rm -r "${root:?}/$folder"; fi
    ln -s "usr/$folder" "$root/$folder"
  fi
done
mkdir -p "$root/usr/bin" "$root/tmp" "$root/usr/lib64" "$root/proc"
loader=$(ldd "$program" | grep -o '/lib[^ ]*/ld-linux[^ ]*')
mkdir -p "$root$(dirname "$loader")" && cp -Ln "$(realpath "$loader")" "$root$loader" 2> /dev/null || true
cp "$program" "$root/usr/bin/auricle"
cp Fixtures/seven.wav "$root/tmp"
echo "$(wc -l <<< "$all") packages, $(find "$root" -name '*.so*' | wc -l) libraries"
# Swift reads its arguments there.
$(command -v sudo) mount -t proc proc "$root/proc"
$(command -v sudo) chroot "$root" /usr/bin/auricle classify /tmp/seven.wav | tee "$root/answer"
grep -qE ' 7 +0\.' "$root/answer"
$(command -v sudo) chroot "$root" /usr/bin/auricle doctor | tail -1
