// The compiler leaves Lua files where they are; the built program reads them beside its own module. Files that are gone
// from the sources must not live on in the build.
import { cpSync, rmSync } from 'node:fs';

rmSync('dist/redis/lua', { recursive: true, force: true });
cpSync('src/redis/lua', 'dist/redis/lua', { recursive: true });
