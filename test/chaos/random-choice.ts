/** What a nemesis draws from one stream of numbers in [0, 1). */
export interface Chance {
  one<Item>(items: readonly Item[]): Item;
  between(least: number, most: number): number;
  /** As `between`, half of them in the first quarter. */
  mostlyBriefly(least: number, most: number): number;
  happens(probability: number): boolean;
}

export function createChance(random: () => number): Chance {
  return {
    one: (items) => {
      const item = items[Math.floor(random() * items.length)];
      if (item === undefined) throw new Error("nothing to choose from");
      return item;
    },
    between: (least, most) => least + random() * (most - least),
    mostlyBriefly: (least, most) => least + random() ** 2 * (most - least),
    happens: (probability) => random() < probability,
  };
}
