#!/bin/sh
# Assembles everything the image holds: the executable, the C library it is linked to, CA certificates, a user without
# rights and the folders it may write to. No shell, no package manager: there is nothing else to keep patched.
#   sh rootfs.sh EXECUTABLE FOLDER
set -eu

executable=$1
root=$2
user=65532

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/etc/mcp-gateway" "$root/data" "$root/tmp"
cp "$executable" "$root/usr/local/bin/mcp-gateway"
chmod 755 "$root/usr/local/bin/mcp-gateway"

# The libraries and the loader, at the paths the executable asks for them. Resolving names is part of the C library.
libraries=$(ldd "$executable" | grep -o '/[^ ]*' | sort -u)
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'gateway:x:%s:%s::/data:/sbin/nologin\n' "$user" "$user" >"$root/etc/passwd"
printf 'gateway:x:%s:\n' "$user" >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
chown "$user:$user" "$root/data"
chmod 700 "$root/data"
chmod 1777 "$root/tmp"
