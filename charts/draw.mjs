// The charts of docs/benchmarks.md, as SVG, from rows of figures.
import * as vega from 'vega';
import { compile } from 'vega-lite';

/** By how many times the slowest and the quickest differ calls for logarithms on both axes. */
const SIZES = ['1 B', '64 B', '1 KiB', '4 KiB', '64 KiB', '1 MiB'];

/**
 * One line for each contestant over the sizes of a message.
 *
 * @param {{ title: string, y: string, values: { bytes: number, contestant: string, value: number }[] }} chart
 * @returns {Promise<string>}
 */
export async function draw({ title, y, values }) {
  const { spec } = compile({
    title,
    width: 560,
    height: 340,
    background: 'white',
    data: { values: values.map((value) => ({ ...value, size: sizeOf(value.bytes) })) },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'size',
        type: 'ordinal',
        sort: SIZES,
        axis: { labelAngle: 0 },
        title: 'bytes in a message',
      },
      y: { field: 'value', type: 'quantitative', scale: { type: 'log' }, title: y },
      color: { field: 'contestant', type: 'nominal', title: null },
      shape: { field: 'contestant', type: 'nominal', title: null },
    },
  });
  return await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

function sizeOf(bytes) {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}
