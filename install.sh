#!/bin/sh
# Installs mcp-gateway for the current user: curl -fsSL .../install.sh | sh
#   sh install.sh [DIRECTORY]        default ~/.local/bin; no sudo
#   MCP_GATEWAY_BASE_URL             where the release files and SHA256SUMS are
set -eu

base_url=${MCP_GATEWAY_BASE_URL:-https://github.com/mcp-gateway/mcp-gateway/releases/latest/download}
base_url=${base_url%/}

fail() {
  printf 'Cannot install mcp-gateway: %s\n' "$1" >&2
  exit 1
}

asset_name() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "there is no release for $(uname -s); for Windows download mcp-gateway-windows-x64.exe from $base_url" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) fail "there is no release for $(uname -m)" ;;
  esac
  # A shell under Rosetta reports x86_64 on Apple silicon.
  if [ "$os-$cpu" = darwin-x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then cpu=arm64; fi
  libc=
  if [ "$os" = linux ] && is_musl; then libc=-musl; fi
  printf 'mcp-gateway-%s-%s%s' "$os" "$cpu" "$libc"
}

is_musl() {
  case $(ldd --version 2>&1 || true) in
    *musl*) return 0 ;;
    *GLIBC* | *"GNU libc"*) return 1 ;;
  esac
  for loader in /lib/ld-musl-*; do [ -e "$loader" ] && return 0; done
  return 1
}

download() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 2 -o "$2" "$1" || fail "$1 could not be downloaded"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1" || fail "$1 could not be downloaded"
  else
    fail "neither curl nor wget is there to download it"
  fi
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1"
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1"
  else
    openssl dgst -sha256 -r "$1" || fail "neither sha256sum, shasum nor openssl is there to check it"
  fi | cut -d ' ' -f 1
}

# Everything happens in a function, so that a download of this script that breaks off runs nothing.
main() {
  [ -n "${1:-}" ] || [ -n "${HOME:-}" ] || fail "HOME is not set: name a directory"
  directory=${1:-$HOME/.local/bin}
  asset=$(asset_name)
  mkdir -p "$directory" || fail "$directory could not be made"
  # Inside the target directory: the last step is a rename, and there is either the old program or the whole new one.
  work=$(mktemp -d "$directory/.mcp-gateway.XXXXXX") || fail "$directory is not writable"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  download "$base_url/SHA256SUMS" "$work/SHA256SUMS"
  expected=$(awk -v name="$asset" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
  [ -n "$expected" ] || fail "$base_url/SHA256SUMS does not list $asset"
  download "$base_url/$asset" "$work/mcp-gateway"
  actual=$(sha256 "$work/mcp-gateway")
  [ "$actual" = "$expected" ] || fail "the checksum of $asset is $actual, expected $expected; nothing was installed"
  chmod 755 "$work/mcp-gateway"
  version=$("$work/mcp-gateway" --version) || fail "the downloaded program does not run on this machine"
  mv -f "$work/mcp-gateway" "$directory/mcp-gateway"

  printf 'Installed mcp-gateway %s as %s/mcp-gateway\n' "$version" "$directory"
  case ":$PATH:" in
    *":$directory:"*) ;;
    *) printf 'Add it to the path:  export PATH="%s:$PATH"\n' "$directory" ;;
  esac
  printf 'Next:  mcp-gateway init --with-examples && mcp-gateway serve\n'
}

main "$@"
