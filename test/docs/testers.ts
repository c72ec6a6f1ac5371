import { join } from 'node:path'
import type { ConsulAgent } from '../support/consul.ts'
import type { Teardown } from '../support/teardown.ts'
import type { Block } from './blocks.ts'
import { compiled } from './compiled.ts'
import { curl } from './curl.ts'
import { hcl } from './hcl.ts'
import { ini } from './ini.ts'
import { json } from './json.ts'
import { moduleLanguages } from './modules.ts'
import { programs } from './programs.ts'
import { ran } from './ran.ts'
import { shell } from './shell.ts'
import { problem, type Problem, type Tester } from './tester.ts'
import { text } from './text.ts'
import { variablesAreRead } from './variables.ts'
import type { World } from './world.ts'
import { yaml } from './yaml.ts'

export interface Services {
  world: World
  /** A Consul with access control. */
  secure: Pick<ConsulAgent, 'api'>
  /** Source text with the routes that the documentation may call. */
  sources: string
}

/** Tests blocks of every language that there is a tester for; a block of another one is a problem by itself. */
export function allTesters (t: Teardown, folder: string, { world, secure, sources }: Services): Tester {
  const modules = [compiled(join(folder, 'compiled')), ran(t, join(folder, 'ran'), world)]
  const testers: Record<string, Tester[]> = {
    ...Object.fromEntries([...moduleLanguages].map(language => [language, modules])),
    sh: [shell({ ...programs, curl: curl(world.consul.api, sources) })],
    hcl: [hcl(secure)],
    yaml: [yaml],
    ini: [ini],
    json: [json],
    text: [text]
  }
  return async blocks => {
    const known = [...new Set(Object.values(testers).flat())].map(async tester => {
      return await tester(blocks.filter(({ language }) => testers[language]?.includes(tester)))
    })
    const found: Problem[][] = await Promise.all([variablesAreRead(blocks), ...known])
    return [...found.flat(), ...blocks.filter(({ language }) => testers[language] === undefined).map(untested)]
  }
}

function untested (block: Block): Problem {
  return problem(block, `nothing tests blocks in ${block.language === '' ? 'no language' : block.language}`)
}
