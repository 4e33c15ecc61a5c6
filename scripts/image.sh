#!/usr/bin/env bash
# Builds the container image without a Docker engine, on bases that it makes itself from Debian packages, and tries it:
# as a numeric user, on a read-only root, with a writable /tmp and /data.
#
#   apt-get install -y --no-install-recommends buildah mmdebstrap
#   scripts/image.sh            # as root, on Debian 12; takes some minutes
#
# With a Docker engine, `docker build -t taba .` is all it takes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/taba-image-XXXXXX")
storage=(--storage-driver vfs --root "$work/storage" --runroot "$work/run")
container=''
finish() {
  if [ -n "$container" ]; then buildah "${storage[@]}" rm "$container" > "$work/rm.log" || true; fi
  rm -rf "$work"
}
trap finish EXIT

echo '== the bases'
release=bookworm
# From where this machine gets its own packages.
mapfile -t sources < <(find /etc/apt -maxdepth 2 -type f \( -name '*.sources' -o -name 'sources.list' -o -path '*/sources.list.d/*.list' \))
mmdebstrap --quiet --variant=minbase --include=libstdc++6,binutils,ca-certificates "$release" "$work/build.tar" "${sources[@]}"
# What a distroless base has: glibc, libstdc++, certificates, and little else.
mmdebstrap --quiet --variant=extract --include=libc6,libstdc++6,libgcc-s1,base-files "$release" "$work/base.tar" "${sources[@]}"

# The build base gets the Node and npm of this machine.
mkdir -p "$work/build/node/bin" "$work/build/node/lib/node_modules"
cp "$(readlink -f "$(command -v node)")" "$work/build/node/bin/node"
cp -r "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$work/build/node/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/build/node/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/build/node/bin/npx"
mv "$work/build.tar" "$work/build/"
# And its certificate authorities: a company's own registry may be signed by one of its own.
cp /etc/ssl/certs/ca-certificates.crt "$work/build/authorities.crt"
cat > "$work/build/Dockerfile" <<'DOCKERFILE'
FROM scratch
ADD build.tar /
COPY node /usr/local
COPY authorities.crt /usr/local/share/authorities.crt
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.crt
DOCKERFILE
buildah "${storage[@]}" bud --quiet --isolation chroot -t taba-build-base "$work/build"
mkdir "$work/base"
mv "$work/base.tar" "$work/base/"
printf 'FROM scratch\nADD base.tar /\n' > "$work/base/Dockerfile"
buildah "${storage[@]}" bud --quiet --isolation chroot -t taba-base "$work/base"

echo '== the image'
npmrc=()
if [ -f "$HOME/.npmrc" ]; then npmrc=(--volume "$HOME/.npmrc:/root/.npmrc:ro"); fi
buildah "${storage[@]}" bud --isolation chroot "${npmrc[@]}" \
  --build-arg BUILD_BASE=localhost/taba-build-base --build-arg BASE=localhost/taba-base -t taba .

echo '== trying it'
container=$(buildah "${storage[@]}" from localhost/taba)
root=$(buildah "${storage[@]}" mount "$container")
du -sh "$root" | sed 's/\t.*//; s/^/size on disk: /'
user=$(buildah "${storage[@]}" inspect --format '{{.OCIv1.Config.User}}' "$container")
[[ $user =~ ^[0-9]+:[0-9]+$ ]] || { echo "the user is not numeric: $user"; exit 1; }

# A read-only view of the root, with only /tmp and /data writable, as with `docker run --read-only --tmpfs /tmp:exec -v data:/data`.
cat > "$work/inside.sh" <<'INSIDE'
set -euo pipefail
root=$1 user=$2
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/tmp" -o mode=1777
mount -t tmpfs tmpfs "$root/data" -o "uid=${user%:*},gid=${user#*:},mode=700"
mount -o remount,bind,ro "$root"
taba() { chroot --userspec="$user" "$root" /taba "$@"; }
taba --version
chroot --userspec="$user" "$root" /taba up --port 18300 --agent-port 18279 --data /data --log-format json 2> "$root/data/log" &
daemon=$!
until grep -q '"event":"ready"' "$root/data/log"; do
  kill -0 "$daemon" || { cat "$root/data/log"; exit 1; }
  sleep 0.1
done
taba record bids_won 3 --server http://127.0.0.1:18279
until taba agg bids_won --server http://127.0.0.1:18300 2> "$root/data/errors"; do sleep 0.1; done
[ -z "$(ls -A "$root/tmp")" ] || { echo 'something was left in /tmp'; exit 1; }
kill -TERM "$daemon"
wait "$daemon"
grep -q '"event":"stopped"' "$root/data/log" && echo 'stopped in good order'
INSIDE
unshare --mount bash "$work/inside.sh" "$root" "$user"
echo '== the image works'
