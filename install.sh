#!/bin/sh
# Installs mcp-gateway for the current user: downloads the executable for this machine, checks its SHA-256 and puts it
# into place in one step. Never asks for more rights than the user has.
#
#   curl -fsSL https://github.com/mcp-gateway/mcp-gateway/releases/latest/download/install.sh | sh
#   sh install.sh [--version VERSION] [--dir DIRECTORY]
set -eu

releases=https://github.com/mcp-gateway/mcp-gateway/releases

usage() {
  cat <<'TEXT'
Usage: sh install.sh [--version VERSION] [--dir DIRECTORY]

  --version VERSION       the newest release by default
  --dir DIRECTORY         ~/.local/bin by default

  MCP_GATEWAY_BASE_URL    address of a folder with the files of one release, SHA256SUMS among them
TEXT
}

fail() {
  printf 'Cannot install mcp-gateway: %s\n' "$1" >&2
  exit 1
}

wrong_usage() {
  printf '%s\n' "$1" >&2
  usage >&2
  exit 2
}

# Sets version and directory.
read_arguments() {
  version=
  directory=
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --dir)
        [ -n "${2:-}" ] || wrong_usage "$1 needs a value"
        if [ "$1" = --dir ]; then directory=$2; else version=$2; fi
        shift
        ;;
      --version=?*) version=${1#*=} ;;
      --dir=?*) directory=${1#*=} ;;
      -h | --help)
        usage
        exit 0
        ;;
      -*) wrong_usage "$1 is not known" ;;
      *)
        [ -z "$directory" ] || wrong_usage "\"$1\" is one word too many"
        directory=$1
        ;;
    esac
    shift
  done
  version=${version#v}
  case $version in
    *[!0-9A-Za-z.+-]*) wrong_usage "--version must be like 1.2.3, not \"$version\"" ;;
  esac
  if [ -z "$directory" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set: name a directory with --dir"
    directory=$HOME/.local/bin
  fi
}

# Sets base_url.
find_release() {
  if [ -n "${MCP_GATEWAY_BASE_URL:-}" ]; then
    base_url=${MCP_GATEWAY_BASE_URL%/}
  elif [ -n "$version" ]; then
    base_url=$releases/download/v$version
  else
    base_url=$releases/latest/download
  fi
  # The checksum comes from the same place as the program: it proves nothing where anybody on the way can change both.
  case $base_url in
    https://* | http://localhost | http://localhost[:/]* | http://127.0.0.1 | http://127.0.0.1[:/]*) ;;
    *) fail "MCP_GATEWAY_BASE_URL must begin with https:// (http:// only on this machine), not \"$base_url\"" ;;
  esac
}

# Sets asset: mcp-gateway-OS-CPU[-musl].
name_asset() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "there is no release for $(uname -s); on Windows download mcp-gateway-windows-x64.exe from $base_url" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) fail "there is no release for the processor $(uname -m)" ;;
  esac
  # A shell under Rosetta reports x86_64 on Apple silicon.
  if [ "$os-$cpu" = darwin-x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then cpu=arm64; fi
  libc=
  if [ "$os" = linux ] && is_musl; then libc=-musl; fi
  asset=mcp-gateway-$os-$cpu$libc
}

is_musl() {
  case $(ldd --version 2>&1 || true) in
    *musl*) return 0 ;;
    *GLIBC* | *"GNU libc"*) return 1 ;;
  esac
  for loader in /lib/ld-musl-*; do [ -e "$loader" ] && return 0; done
  return 1
}

# download ADDRESS FILE
download() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 2 --connect-timeout 20 -o "$2" "$1" || fail "$1 could not be downloaded"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1" || fail "$1 could not be downloaded"
  else
    fail "neither curl nor wget is there to download it"
  fi
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then
    line=$(sha256sum "$1")
  elif command -v shasum >/dev/null 2>&1; then
    line=$(shasum -a 256 "$1")
  elif command -v openssl >/dev/null 2>&1; then
    line=$(openssl dgst -sha256 -r "$1")
  else
    fail "neither sha256sum, shasum nor openssl is there to check the download"
  fi
  printf '%s' "${line%% *}"
}

# Everything happens in a function, so that a download of this script that breaks off runs nothing.
main() {
  read_arguments "$@"
  find_release
  name_asset
  mkdir -p "$directory" || fail "$directory could not be made; --dir names another directory"
  [ -d "$directory/mcp-gateway" ] && fail "$directory/mcp-gateway is a directory"
  # Inside the target directory: the last step is a rename, and there is either the old program or the whole new one.
  work=$(mktemp -d "$directory/.mcp-gateway.XXXXXX") || fail "$directory is not writable; --dir names another directory"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  download "$base_url/SHA256SUMS" "$work/SHA256SUMS"
  expected=$(awk -v name="$asset" '$2 == name || $2 == "*" name { print $1; exit }' "$work/SHA256SUMS")
  [ -n "$expected" ] || fail "$base_url/SHA256SUMS does not list $asset"
  download "$base_url/$asset" "$work/mcp-gateway"
  actual=$(sha256 "$work/mcp-gateway") || exit 1
  [ "$actual" = "$expected" ] || fail "the checksum of $asset is $actual, expected $expected; nothing was installed"
  chmod 755 "$work/mcp-gateway"
  installed=$("$work/mcp-gateway" --version) || fail "the downloaded program does not run on this machine"
  [ "${version:-$installed}" = "$installed" ] || fail "$base_url has version $installed, not $version; nothing was installed"
  mv -f "$work/mcp-gateway" "$directory/mcp-gateway"

  printf 'Installed mcp-gateway %s as %s/mcp-gateway\n' "$installed" "$directory"
  first=$(command -v mcp-gateway || true)
  case ":$PATH:" in
    *":$directory:"*)
      [ "$first" = "$directory/mcp-gateway" ] || printf 'Another one comes before it in the path:  %s\n' "$first"
      ;;
    *) printf 'Add it to the path:  export PATH="%s:$PATH"\n' "$directory" ;;
  esac
  printf 'Next:  mcp-gateway init --with-examples && mcp-gateway serve\n'
}

main "$@"
