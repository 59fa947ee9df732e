// What there is to call: every export of every package, by its declarations, as plain data.
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { publicPackages } from '../../workspace.mjs';

/** Deeper than options within options nothing is described: it is thrown anything. */
const DEPTH = 4;

/** The kit is for who writes a mechanism, and trusts its callers; the suite runs within a test runner. */
const LEFT_OUT = new Set(['conformance']);

/**
 * Describes all packages.
 *
 * @returns `{ functions: [{ package, specifier, name, owner?, params, promise }], methods: { CLASS: { NAME: [params] } } }`
 */
export function surface() {
  const ts = createRequire(import.meta.url)('typescript');
  const entries = publicPackages()
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap(({ name, folder, manifest }) => [
      { name, specifier: manifest.name, file: join(folder, 'dist', 'index.d.ts') },
      ...(name === 'socket'
        ? [
            {
              name,
              specifier: `${manifest.name}/posix`,
              file: join(folder, 'dist', 'posix.d.ts'),
            },
          ]
        : []),
    ]);
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
      types: ['node'],
      strict: true,
      noEmit: true,
    },
  );
  const walk = new Walk(ts, program.getTypeChecker());
  for (const entry of entries) {
    const source = program.getSourceFile(entry.file);
    if (source === undefined) throw new Error(`${entry.file} is missing: npm run build`);
    walk.module(entry, source);
  }
  return { functions: walk.functions, methods: walk.methods };
}

class Walk {
  functions = [];
  methods = {};
  #ts;
  #checker;

  constructor(ts, checker) {
    this.#ts = ts;
    this.#checker = checker;
  }

  module({ name: packageName, specifier }, source) {
    const checker = this.#checker;
    for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
      const name = exported.name;
      const symbol =
        exported.flags & this.#ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if ((symbol.flags & this.#ts.SymbolFlags.Value) === 0) continue;
      // The namespaces of the meta-package are the packages themselves.
      if (packageName === 'octoipc' && symbol.flags & this.#ts.SymbolFlags.ValueModule) continue;
      const type = checker.getTypeOfSymbol(symbol);
      const path = { package: packageName, specifier, name };
      this.#calls(path, type);
      if (type.getConstructSignatures().length > 0 || symbol.flags & this.#ts.SymbolFlags.Class) {
        this.#instance(checker.getDeclaredTypeOfSymbol(symbol));
      }
      if (
        packageName === 'octoipc' &&
        ['pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen'].includes(name)
      )
        continue;
      for (const property of type.getProperties()) {
        if (property.name === 'prototype' || property.name.startsWith('__')) continue;
        if (this.#hidden(property) || !this.#isOurs(property)) continue;
        this.#calls(
          { ...path, owner: name, name: property.name },
          checker.getTypeOfSymbol(property),
        );
      }
    }
  }

  #calls(path, type) {
    for (const signature of type.getCallSignatures()) {
      const returned = signature.getReturnType();
      this.#instance(returned);
      this.functions.push({
        ...path,
        params: this.#params(signature),
        promise: this.#checker.typeToString(returned).startsWith('Promise<'),
      });
    }
  }

  #params(signature) {
    return signature.getParameters().map((parameter) => ({
      name: parameter.name,
      rest: parameter.valueDeclaration?.dotDotDotToken !== undefined,
      optional: parameter.valueDeclaration?.questionToken !== undefined,
      type: this.#describe(this.#checker.getTypeOfSymbol(parameter), 0),
    }));
  }

  /** Records the methods of what a call returns, and of what those return. */
  #instance(type) {
    const checker = this.#checker;
    if (type.isUnion()) {
      for (const each of type.types) this.#instance(each);
      return;
    }
    const symbol = type.getSymbol() ?? type.aliasSymbol;
    const name = symbol?.name;
    if (name === 'Promise' || name === 'Array' || name === 'ReadonlyArray') {
      for (const each of checker.getTypeArguments(type)) this.#instance(each);
      return;
    }
    const file = symbol?.declarations?.[0]?.getSourceFile().fileName ?? '';
    if (!file.includes('/packages/') || name in this.methods) return;
    const methods = (this.methods[name] = {});
    for (const property of type.getProperties()) {
      if (property.name.startsWith('__') || this.#hidden(property)) continue;
      const of = checker.getTypeOfSymbol(property);
      const signatures = of.getCallSignatures();
      if (signatures.length === 0) {
        this.#instance(of);
        methods[property.name] = {
          value: this.#describe(of, 0),
          settable: this.#settable(property),
        };
        continue;
      }
      methods[property.name] = { calls: signatures.map((each) => this.#params(each)) };
      for (const signature of signatures) this.#instance(signature.getReturnType());
    }
  }

  /** Not what every number, function and error has. */
  #isOurs(property) {
    return (property.declarations ?? []).some((each) =>
      each.getSourceFile().fileName.includes('/packages/'),
    );
  }

  #settable(property) {
    const { SyntaxKind } = this.#ts;
    return (property.declarations ?? []).some(({ kind }) => kind === SyntaxKind.SetAccessor);
  }

  #hidden(property) {
    const flags = this.#ts.getDeclarationModifierFlagsFromSymbol?.(property) ?? 0;
    const { Private, Protected } = this.#ts.ModifierFlags;
    return (flags & (Private | Protected)) !== 0;
  }

  #describe(type, depth) {
    const { TypeFlags } = this.#ts;
    const checker = this.#checker;
    if (type.flags & TypeFlags.TypeParameter) {
      const constraint = checker.getBaseConstraintOfType(type);
      return constraint === undefined ? { kind: 'any' } : this.#describe(constraint, depth);
    }
    if (type.isUnion()) {
      if (type.types.length > 40) return { kind: 'words', of: words(type) };
      return { kind: 'union', of: type.types.map((each) => this.#describe(each, depth)) };
    }
    if (type.isStringLiteral() || type.isNumberLiteral()) {
      return { kind: 'literal', value: type.value };
    }
    if (type.flags & TypeFlags.BooleanLiteral) {
      return { kind: 'literal', value: checker.typeToString(type) === 'true' };
    }
    if (type.flags & (TypeFlags.StringLike | TypeFlags.TemplateLiteral)) return { kind: 'string' };
    if (type.flags & TypeFlags.NumberLike) return { kind: 'number' };
    if (type.flags & TypeFlags.BigIntLike) return { kind: 'bigint' };
    if (type.flags & TypeFlags.Null) return { kind: 'literal', value: null };
    if (type.flags & (TypeFlags.Undefined | TypeFlags.Void)) return { kind: 'undefined' };
    if (depth >= DEPTH || !(type.flags & (TypeFlags.Object | TypeFlags.Intersection))) {
      return { kind: 'any' };
    }
    return this.#describeObject(type, depth);
  }

  #describeObject(type, depth) {
    const checker = this.#checker;
    if (checker.isArrayType(type) || checker.isTupleType(type)) {
      const [element] = checker.getTypeArguments(type);
      return { kind: 'array', of: this.#describe(element ?? checker.getAnyType(), depth + 1) };
    }
    const symbol = type.getSymbol();
    const file = symbol?.declarations?.[0]?.getSourceFile().fileName ?? '';
    if (type.getCallSignatures().length > 0) return { kind: 'function' };
    if (type.getConstructSignatures().length > 0) return { kind: 'class' };
    if (symbol !== undefined && !symbol.name.startsWith('__') && !file.includes('/packages/')) {
      const of = checker.getTypeArguments(type)?.[0];
      return {
        kind: 'known',
        name: symbol.name,
        ...(of === undefined ? {} : { of: this.#describe(of, depth + 1) }),
      };
    }
    const properties = type.getProperties();
    const live = properties.some(
      (each) => checker.getTypeOfSymbol(each).getCallSignatures().length > 0,
    );
    if (live && symbol !== undefined && !['__type', '__object'].includes(symbol.name)) {
      return { kind: 'live', name: symbol.name };
    }
    const index = checker.getIndexTypeOfType(type, this.#ts.IndexKind.Number);
    if (index !== undefined && properties.length === 0) {
      return { kind: 'record', of: this.#describe(index, depth + 1) };
    }
    return {
      kind: 'object',
      of: Object.fromEntries(
        properties
          .filter(({ name }) => !name.startsWith('__'))
          .map((each) => [each.name, this.#describe(checker.getTypeOfSymbol(each), depth + 1)]),
      ),
    };
  }
}

function words(type) {
  return type.types.filter((each) => each.isStringLiteral()).map(({ value }) => value);
}
