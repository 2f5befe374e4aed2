#!/usr/bin/env node
/**
 * The door: says which Node.js is needed before anything else is loaded, then runs the command line.
 *
 * Written in syntax that old versions parse; every other file is loaded only after the check.
 * @module
 */
var parts = process.versions.node.split('.')
var found = Number(parts[0]) * 1000 + Number(parts[1])
if (found < 22022) {
  // biome-ignore lint/style/useTemplate: parsed by Node versions of any age
  process.stderr.write('error: NODE_TOO_OLD node ' + process.versions.node + ' found, 22.22 needed\n')
  process.stderr.write('hint: use a newer Node.js, for example `npx --package=node@24 --package=sworn sworn --help`\n')
  process.exitCode = 2
} else if (process.argv[2] === 'hook') {
  import('./answering/ask.ts')
    .then((asking) => asking.askAnswerer(process.argv.slice(3)))
    .then((asked) => (asked !== undefined && asked.end === 'answered' ? undefined : run(asked)))
} else {
  run()
}

function run(asked?: import('./answering/ask.ts').Asked): Promise<void> {
  return import('./main.ts').then((main) => main.main(process.argv.slice(2), asked))
}
