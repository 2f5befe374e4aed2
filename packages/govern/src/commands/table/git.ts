/** git: which subcommands only look, and what makes the others worse. @module */
import type { Program } from './program.ts'

const SHOWS =
  '-# -puzwbMCDRSGn -p -s -U: -n: -S: -G: -L: -i -E -F -P -q -r -t -m -c -l: -O: --oneline --graph --all --stat --numstat --shortstat --name-only --name-status --no-color --color= --decorate= --abbrev-commit --abbrev= --cached --staged --since= --until= --after= --before= --author= --committer= --grep= --format= --pretty= --date= --follow --first-parent --merges --no-merges --reverse --max-count= --skip= --branches= --tags= --remotes= --patch --no-patch --unified= --diff-filter= --word-diff= --check --summary --raw --full-index --find-renames= --ignore-all-space --ignore-space-change --minimal --patience --histogram --exit-code --quiet --no-renames --left-right --cherry-pick --merge-base --topo-order --date-order --no-ext-diff --no-textconv --relative= --color-words= --dirstat --submodule= --ignore-submodules= --show-signature --no-decorate --no-index --boundary --source'

export const GIT: readonly Program[] = [
  {
    names: 'git',
    is: 'needs_review',
    rule: 'changes_repository',
    options: '-C: -P --no-pager --bare --literal-pathspecs --no-optional-locks --no-replace-objects --version --help -v -h',
    raise: {
      '-c:': 'config',
      '--config-env=': 'dangerous',
      '--exec-path=': 'dangerous',
      '--git-dir=': 'needs_review',
      '--work-tree=': 'needs_review',
      '-p': 'safe',
      '--paginate': 'safe',
    },
    raiseRule: 'changes_meaning',
    alone: 'safe',
    sub: [
      {
        names: 'log show diff whatchanged rev-list diff-tree diff-index diff-files shortlog range-diff show-branch',
        is: 'safe',
        options: SHOWS,
        raise: { '--output=': 'writes', '--ext-diff': 'needs_review', '--textconv': 'needs_review' },
      },
      {
        names: 'status',
        is: 'safe',
        options:
          '-sbuvz -u: --short --branch --porcelain= --long --untracked-files= --ignored= --show-stash --column= --no-renames --ahead-behind --verbose',
      },
      {
        names: 'blame annotate',
        is: 'safe',
        options: '-wlstfnepcMC -L: -C --porcelain --line-porcelain --show-email --date= --since= --root --incremental',
      },
      {
        names:
          'ls-files ls-tree cat-file rev-parse describe name-rev merge-base for-each-ref show-ref count-objects check-ignore check-attr version var fsck verify-commit verify-tag cherry',
        is: 'safe',
        options:
          '-rtlzdhvqscomipeuk -t -s -p -e --name-only --others --cached --modified --deleted --exclude-standard --stage --abbrev= --long --tags --always --dirty= --abbrev-ref= --short= --verify --show-toplevel --git-dir --is-inside-work-tree --is-ancestor --all --format= --sort= --count= --contains= --merged= --heads --full-name --error-unmatch --exact-match --match= --points-at= --symbolic-full-name --show-prefix --full-tree --batch-check= --others --no-index --octopus --fork-point',
      },
      {
        names: 'grep',
        is: 'safe',
        options:
          '-niwvEFPlLcIhHorqz -e: -A: -B: -C: --count --line-number --ignore-case --cached --untracked --name-only --files-with-matches --heading --break --show-function --max-depth= --all-match --and --or --not',
        raise: { '-O:': 'executes', '--open-files-in-pager=': 'executes', '-f:': 'reads' },
      },
      {
        names: 'branch',
        looks: '-a -r --all --list --remotes --contains --no-contains --merged --no-merged --points-at',
        is: 'safe',
        options:
          '-avrqvl --all --list --remotes --verbose --show-current --merged= --no-merged= --contains= --no-contains= --sort= --format= --points-at= --column= --no-color --color=',
        raise: {
          '-D': 'dangerous',
          '-d': 'needs_review',
          '--delete': 'dangerous',
          '-M': 'dangerous',
          '-m': 'needs_review',
          '-f': 'dangerous',
          '--force': 'dangerous',
          '-C': 'dangerous',
          '--edit-description': 'needs_review',
        },
        raiseRule: 'rewrites_history',
        named: 'needs_review',
        rule: 'changes_repository',
      },
      {
        names: 'tag',
        looks: '-l --list --contains --merged --points-at',
        is: 'safe',
        options: '-ln -l --list --sort= --format= --contains= --merged= --points-at= --column=',
        raise: { '-d': 'needs_review', '--delete': 'needs_review', '-f': 'dangerous', '--force': 'dangerous' },
        raiseRule: 'rewrites_history',
        named: 'needs_review',
        rule: 'changes_repository',
      },
      {
        names: 'remote',
        is: 'safe',
        options: '-v --verbose',
        rule: 'changes_repository',
        alone: 'safe',
        sub: [
          { names: 'get-url', is: 'safe', options: '--all --push' },
          {
            names: 'add set-url',
            is: 'needs_review',
            rule: 'changes_repository',
            words: [[/^ext::/, 'dangerous']],
            raiseRule: 'runs_code',
          },
        ],
      },
      {
        names: 'stash',
        is: 'needs_review',
        rule: 'changes_repository',
        sub: [
          { names: 'list show', is: 'safe', options: SHOWS },
          { names: 'drop clear', is: 'dangerous', rule: 'rewrites_history' },
        ],
      },
      {
        names: 'reflog',
        is: 'safe',
        options: SHOWS,
        alone: 'safe',
        rule: 'changes_repository',
        sub: [
          { names: 'show exists', is: 'safe', options: SHOWS },
          { names: 'expire delete drop', is: 'dangerous', rule: 'rewrites_history' },
        ],
      },
      {
        names: 'worktree submodule bisect notes',
        is: 'needs_review',
        rule: 'changes_repository',
        sub: [
          { names: 'list status summary log', is: 'safe', options: '-v --porcelain --recursive --cached' },
          { names: 'foreach run', is: 'dangerous', rule: 'runs_code' },
          {
            names: 'remove prune deinit',
            is: 'needs_review',
            rule: 'changes_repository',
            raise: { '-f': 'dangerous', '--force': 'dangerous' },
            raiseRule: 'deletes',
          },
        ],
      },
      {
        names: 'config',
        looks: '-l --list --get --get-all --get-regexp',
        is: 'needs_review',
        rule: 'changes_repository',
        options: '-lz --local --global --system --worktree --show-origin --show-scope --name-only --null --type= --bool --int --includes',
        raise: {
          '-l': 'safe',
          '--list': 'safe',
          '--get=': 'safe',
          '--get-all=': 'safe',
          '--get-regexp=': 'safe',
          '-e': 'needs_review',
          '-f:': 'needs_review',
          '--file=': 'needs_review',
        },
        words: [
          [
            /^(core\.(sshcommand|pager|editor|fsmonitor|hookspath|gitproxy|askpass|attributesfile|worktree)|sequence\.editor|alias\.|pager\.|diff\..*|difftool\.|mergetool\.|merge\..*\.driver|filter\.|credential\.|gpg\.|protocol\.|include|url\.|uploadpack|remote\..*\.(url|uploadpack|receivepack|proxy)|http\..*(proxy|sslverify)|http\.(proxy|sslverify)|safe\.)/i,
            'dangerous',
          ],
        ],
        raiseRule: 'changes_meaning',
        sub: [{ names: 'list get', is: 'safe', options: '--local --global --system --show-origin --all --regexp --show-scope --default=' }],
      },
      {
        names: 'push',
        is: 'needs_review',
        rule: 'changes_repository',
        raise: {
          '-f': 'dangerous',
          '--force': 'dangerous',
          '--force-with-lease': 'dangerous',
          '--force-if-includes': 'dangerous',
          '--mirror': 'dangerous',
          '-d': 'dangerous',
          '--delete': 'dangerous',
          '--prune': 'dangerous',
          '--receive-pack=': 'dangerous',
          '--exec=': 'dangerous',
          '--no-verify': 'dangerous',
        },
        words: [[/^\+|^:.|^ext::/, 'dangerous']],
        raiseRule: 'rewrites_history',
      },
      {
        names: 'reset',
        is: 'needs_review',
        rule: 'changes_repository',
        raise: { '--hard': 'dangerous', '--merge': 'dangerous', '--keep': 'needs_review' },
        raiseRule: 'rewrites_history',
      },
      { names: 'clean', is: 'dangerous', rule: 'deletes', options: '-ndxXfie: --dry-run', raise: { '-f': 'dangerous' } },
      {
        names: 'checkout switch restore',
        is: 'needs_review',
        rule: 'changes_repository',
        raise: { '-f': 'dangerous', '--force': 'dangerous', '--discard-changes': 'dangerous', '-C:': 'dangerous', '-B:': 'dangerous' },
        words: [[/^(\.|\/|:\/|\*|\.\/)$/, 'dangerous']],
        raiseRule: 'rewrites_history',
      },
      { names: 'rebase', is: 'needs_review', rule: 'changes_repository', raise: { '-x:': 'runs', '--exec=': 'runs' } },
      {
        names: 'clone fetch pull ls-remote',
        is: 'needs_review',
        rule: 'changes_repository',
        raise: {
          '-u:': 'dangerous',
          '--upload-pack=': 'dangerous',
          '-c:': 'config',
          '--config=': 'config',
          '--template=': 'dangerous',
          '-f': 'needs_review',
          '--force': 'needs_review',
          '-b:': 'needs_review',
          '-o:': 'needs_review',
          '-j:': 'needs_review',
        },
        words: [[/^ext::|^-/, 'dangerous']],
        raiseRule: 'runs_code',
      },
      {
        names: 'archive',
        is: 'needs_review',
        rule: 'writes_file',
        raise: { '--exec=': 'dangerous', '--remote=': 'needs_review', '-o:': 'writes', '--output=': 'writes' },
        raiseRule: 'runs_code',
      },
      { names: 'update-ref filter-branch filter-repo replace gc prune repack reflog-expire', is: 'dangerous', rule: 'rewrites_history' },
      {
        names:
          'credential credential-store daemon instaweb send-email http-backend shell upload-pack receive-pack upload-archive hook difftool mergetool',
        is: 'dangerous',
        rule: 'runs_code',
      },
      {
        names:
          'rm mv add commit merge cherry-pick revert am apply init format-patch bundle gui citool sparse-checkout maintenance update-index read-tree write-tree commit-tree lfs',
        is: 'needs_review',
        rule: 'changes_repository',
        raise: { '--no-verify': 'dangerous', '--amend': 'needs_review' },
        raiseRule: 'changes_meaning',
      },
    ],
  },
]
