// The compiler leaves Lua files where they are; the built program reads them beside its own module.
import { cpSync } from 'node:fs';

cpSync('src/redis/lua', 'dist/redis/lua', { recursive: true });
