/* Bundles the page: node build.js OUTPUT_FOLDER. Every file but index.html carries a hash of its content in its
 * name, so the server may let browsers keep it for ever; every file also lies there compressed. */
import { build } from 'esbuild';
import { readFileSync, readdirSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];
if (!output) {
  console.error('usage: node build.js OUTPUT_FOLDER');
  process.exit(2);
}
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { console: 'src/main.js', style: 'src/style/main.css', icon: 'src/icon.svg' },
  outdir: join(process.cwd(), output),
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  loader: { '.svg': 'copy' },
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  logLevel: 'warning',
});

/* The output of an entry point, by the name of its source. */
function made(source) {
  for (const [path, { entryPoint }] of Object.entries(result.metafile.outputs))
    if (entryPoint === source || (!entryPoint && basename(path).startsWith(basename(source, '.svg') + '-')))
      return basename(path);
  throw new Error(`${relative(here, source)} was not built`);
}

const page = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('SCRIPT', made('src/main.js'))
  .replace('STYLE', made('src/style/main.css'))
  .replace('ICON', made('src/icon.svg'));
writeFileSync(join(output, 'index.html'), page);

for (const name of readdirSync(output))
  writeFileSync(join(output, `${name}.gz`), gzipSync(readFileSync(join(output, name)), { level: 9 }));
