import type { Dataset, DatasetItem } from "./dataset.ts";

/**
 * The labels of pictures as COCO JSON, ids as in the files that `save-detections` writes: pycocotools with both gives the printed figures.
 * Annotations are numbered from 1 (an annotation with id 0, which pycocotools misreads, keeps it).
 */
export const groundTruthJson = ({ classes, categoryIds }: Pick<Dataset, "classes" | "categoryIds">, items: readonly DatasetItem[]): string => {
  let next = 1;
  const annotations = items.flatMap(({ imageId, boxes }) => (boxes ?? []).map(({ box, classIndex, crowd, area, unmatchable }) => ({
    id: unmatchable ? 0 : next++, image_id: imageId, category_id: categoryIds[classIndex]!, bbox: box, area: area ?? box[2] * box[3], iscrowd: crowd ? 1 : 0,
  })));
  return JSON.stringify({
    info: { description: "ground truth as Edgestill read it" },
    images: items.map(({ id, imageId, width, height }) => ({ id: imageId, file_name: id, width, height })),
    categories: classes.map((name, index) => ({ id: categoryIds[index]!, name })),
    annotations,
  });
};
