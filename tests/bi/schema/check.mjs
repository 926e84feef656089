// Checks dashboards (the files named as arguments) against the schema that Grafana publishes as TypeScript types (@grafana/schema): the
// dashboard, each panel and variable, and the options and field configuration of each panel's own plugin. Prints what is wrong; exit
// status 1 then.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const types = join(dirname(createRequire(import.meta.url).resolve('@grafana/schema/package.json')), 'dist/types/raw');
const validators = new Map();

/** The validator of an exported type. Plugins fill in options that a file leaves out, so of those none is required. */
function validatorOf(file, type, isPartial) {
  const key = `${file}#${type}`;
  if (!validators.has(key)) {
    const schema = createGenerator({ path: join(types, file), type, skipTypeCheck: true, expose: 'all', topRef: false, additionalProperties: false }).createSchema(type);
    if (isPartial) delete schema.required;
    validators.set(key, new Ajv({ strict: false, allErrors: true }).compile(schema));
  }
  return validators.get(key);
}

let problems = 0;
function hold(where, value, file, type, isPartial = false) {
  const validate = validatorOf(file, type, isPartial);
  if (validate(value)) return;
  for (const error of validate.errors) {
    problems += 1;
    console.log(`${where}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
  }
}

const DASHBOARD = 'dashboard/x/types.gen.d.ts';
const HAVE_FIELDS = ['table', 'timeseries'];
for (const file of process.argv.slice(2)) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const name = file.split('/').at(-1);
  hold(name, dashboard, DASHBOARD, 'Dashboard');
  for (const variable of dashboard.templating?.list ?? []) hold(`${name}, variable ${variable.name}`, variable, DASHBOARD, 'VariableModel');
  for (const panel of dashboard.panels) {
    const where = `${name}, panel "${panel.title}"`;
    const plugin = `composable/${panel.type}/panelcfg/x/types.gen.d.ts`;
    hold(where, panel, DASHBOARD, 'Panel');
    hold(`${where}, options`, panel.options, plugin, 'Options', true);
    if (HAVE_FIELDS.includes(panel.type)) hold(`${where}, custom`, panel.fieldConfig.defaults.custom ?? {}, plugin, 'FieldConfig', true);
  }
}
console.log(`${process.argv.length - 2} dashboards, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
