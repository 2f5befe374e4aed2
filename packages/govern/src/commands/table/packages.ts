/** Package managers, containers, clusters. Naming a package fetches code that nobody has looked at. @module */
import type { Program } from './program.ts'

const INSTALL: Program = { names: '', is: 'needs_review', rule: 'installs_code', named: 'dangerous' }

const FETCHING: readonly Program[] = [
  { names: 'outdated info view show audit search ping whoami', is: 'needs_review', rule: 'network' },
  { ...INSTALL, names: 'install i add in ins isntall link up upgrade update dedupe global' },
  { names: 'exec x dlx create init', is: 'needs_review', rule: 'runs_code', named: 'dangerous' },
  { names: 'ci', is: 'needs_review', rule: 'installs_code' },
  {
    names: 'publish unpublish deprecate owner token login logout adduser access dist-tag config set unlink uninstall remove rm cache',
    is: 'dangerous',
    rule: 'changes_meaning',
  },
]

export const PACKAGES: readonly Program[] = [
  {
    names: 'npm',
    is: 'needs_review',
    rule: 'runs_code',
    options: '-s -v --silent --version --json --prefix= -C: -w: --workspace=',
    sub: [
      ...FETCHING,
      {
        names: 'run run-script test t start stop restart',
        is: 'needs_review',
        rule: 'runs_code',
        raise: { '--script-shell=': 'dangerous' },
      },
      { names: 'pkg', is: 'needs_review', rule: 'changes_meaning', words: [[/^(scripts|bin)\b.*=/, 'dangerous']] },
      {
        names: 'list ls why explain root prefix',
        is: 'safe',
        options: '-a --depth= --json --all --long --parseable --prod --dev --production -g --global',
      },
    ],
  },
  // what the repository configures (yarnPath, .pnpmfile.cjs) runs with every subcommand
  {
    names: 'pnpm yarn',
    is: 'needs_review',
    rule: 'runs_code',
    options: '-s --silent --json -C: --filter=',
    raise: { '--version': 'needs_review' },
    sub: FETCHING,
  },
  {
    names: 'npx bunx pnpx uvx pipx',
    is: 'needs_review',
    rule: 'runs_code',
    named: 'dangerous',
    raise: { '-c:': 'runs', '--call=': 'runs', '--no-install': 'needs_review' },
    raiseRule: 'runs_code',
  },
  {
    names: 'pip pip2 pip3',
    is: 'needs_review',
    rule: 'runs_code',
    options: '-q -v --version --disable-pip-version-check --no-color',
    sub: [
      {
        names: 'list show freeze check',
        is: 'safe',
        options: '-v --format= --not-required --user --local',
        raise: { '--outdated': 'needs_review', '-o': 'needs_review', '--uptodate': 'needs_review', '-u': 'needs_review' },
        raiseRule: 'network',
      },
      { names: 'install add download sync', is: 'dangerous', rule: 'installs_code' },
      { names: 'uninstall remove config publish', is: 'dangerous', rule: 'system' },
    ],
  },
  {
    names: 'uv poetry pipenv conda mamba',
    is: 'needs_review',
    rule: 'runs_code',
    options: '-q -v',
    sub: [{ names: 'install add run', is: 'dangerous', rule: 'installs_code' }],
  },
  {
    names: 'brew port snap flatpak emerge nix nix-env choco scoop winget xbps-install pkg yum dnf zypper',
    is: 'dangerous',
    rule: 'installs_code',
    options: '-q --version --list --installed',
    alone: 'safe',
    sub: [
      { names: 'list leaves deps', is: 'safe', options: '-a -1 --installed --all --versions --json --formula --cask' },
      { names: 'search show info policy outdated', is: 'needs_review', rule: 'network' },
    ],
  },
  {
    names: 'apt apt-get aptitude dpkg rpm pacman apk',
    is: 'dangerous',
    rule: 'installs_code',
    options: '-l -L -s -W -q --version --list --status --installed',
    alone: 'safe',
    sub: [
      {
        names: 'list search show info policy depends rdepends',
        is: 'safe',
        options: '-a --installed --all-versions --upgradable',
      },
    ],
  },
  {
    names: 'apt-cache dpkg-query apt-mark',
    is: 'needs_review',
    rule: 'unknown_option',
    sub: [{ names: 'search show policy depends rdepends showhold', is: 'safe', options: '-n --names-only' }],
  },
  // what they list may be fetched first, by a toolchain that the project names
  {
    names: 'cargo go gem',
    is: 'needs_review',
    rule: 'runs_code',
    options: '-q -v --version --verbose --offline',
    sub: [
      { ...INSTALL, names: 'install add get require' },
      { names: 'publish yank push owner login clean uninstall remove', is: 'dangerous', rule: 'changes_meaning' },
    ],
  },
  // their project files are programs, so even listing runs code
  {
    names: 'bundle composer dotnet rustup nuget mix rebar3 cabal stack opam pod',
    is: 'needs_review',
    rule: 'runs_code',
    sub: [{ ...INSTALL, names: 'install add get require update' }],
  },
  {
    names: 'docker podman nerdctl',
    is: 'needs_review',
    rule: 'containers',
    options: '-D --debug --version -v',
    raise: { '-H:': 'dangerous', '--host=': 'dangerous', '--context=': 'needs_review', '-c:': 'needs_review' },
    raiseRule: 'containers',
    sub: [
      {
        names: 'ps images version info logs inspect top stats port history diff',
        is: 'safe',
        options: '-aqnlsf -n: -f: --all --quiet --filter= --format= --no-trunc --tail= --since= --until= --follow --timestamps --no-stream',
      },
      { names: 'rm rmi kill stop prune push login logout commit cp save load import export', is: 'dangerous', rule: 'containers' },
      { names: 'run exec create', is: 'dangerous', rule: 'containers' },
      {
        names: 'system volume image container network builder compose buildx swarm service stack secret config context plugin',
        is: 'needs_review',
        rule: 'containers',
        sub: [
          {
            names: 'ls list ps inspect df images logs',
            is: 'safe',
            options: '-aqf --all --quiet --filter= --format= --no-trunc --tail= --follow',
          },
          { names: 'rm prune remove kill down stop exec run init join leave', is: 'dangerous', rule: 'containers' },
        ],
      },
    ],
  },
  {
    names: 'kubectl oc k3s helm',
    is: 'needs_review',
    rule: 'containers',
    options: '-n: --namespace= --context= -A --all-namespaces -v:',
    raise: { '--kubeconfig=': 'dangerous', '--token=': 'needs_review', '-s:': 'dangerous', '--server=': 'dangerous', '--as=': 'dangerous' },
    raiseRule: 'containers',
    sub: [
      {
        names: 'get describe logs top version api-resources api-versions cluster-info explain events list ls status history',
        is: 'needs_review',
        rule: 'network',
        words: [[/^secrets?(\/|$)/, 'dangerous']],
        raiseRule: 'secrets',
      },
      {
        names: 'apply create install upgrade',
        is: 'needs_review',
        rule: 'containers',
        words: [[/^https?:/, 'dangerous']],
        raiseRule: 'runs_fetched_code',
      },
      {
        names: 'exec cp attach port-forward proxy debug run delete drain cordon taint replace scale rollout uninstall rollback',
        is: 'dangerous',
        rule: 'containers',
      },
    ],
  },
]
