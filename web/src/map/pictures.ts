// The pictures on the map, drawn on a canvas: state is told by shape and by colour, so that it can
// be read without telling colours apart. Arrow: moving (it points where the vehicle heads). Square:
// standing. Ring: no signal. Triangle: an alert.

import type { Look } from "../dispatch/rows.ts";
import type { Palette } from "./palette.ts";

export const PIXEL_RATIO = 2;
const SIZE = 26;
const DONUT = 46;
/** Shares of a cluster's ring are told in eighths: few pictures, kept for ever. */
export const EIGHTHS = 8;

export function vehiclePicture(look: Look, colours: Palette): ImageData {
  const pen = canvas(SIZE);
  pen.translate(SIZE / 2, SIZE / 2);
  pen.lineJoin = "round";
  pen.shadowColor = "rgba(0, 0, 0, 0.28)";
  pen.shadowBlur = 3;
  const outline = OUTLINES[look]();
  pen.lineWidth = 4;
  pen.strokeStyle = colours.surface;
  pen.stroke(outline);
  pen.shadowColor = "transparent";
  pen.fillStyle = look === "silent" ? colours.surface : colours.looks[look];
  pen.fill(outline);
  if (look === "silent") {
    pen.lineWidth = 2.5;
    pen.strokeStyle = colours.looks.silent;
    pen.stroke(outline);
    pen.fillStyle = colours.looks.silent;
    pen.fill(dot(1.8));
  }
  if (look === "alert") {
    pen.fillStyle = colours.surface;
    pen.fill(exclamation());
  }
  return done(pen, SIZE);
}

const OUTLINES: Record<Look, () => Path2D> = {
  moving: () => new Path2D("M0 -9 L7 8 L0 4.5 L-7 8 Z"),
  standing: () => new Path2D("M-5 -6 H5 Q6 -6 6 -5 V5 Q6 6 5 6 H-5 Q-6 6 -6 5 V-5 Q-6 -6 -5 -6 Z"),
  silent: () => dot(6),
  alert: () => new Path2D("M0 -9 L9 7 H-9 Z"),
};

function dot(radius: number): Path2D {
  const path = new Path2D();
  path.arc(0, 0, radius, 0, 2 * Math.PI);
  return path;
}

function exclamation(): Path2D {
  return new Path2D("M-1 -3.5 H1 L0.8 2 H-0.8 Z M-1 3.2 H1 V5.2 H-1 Z");
}

/** `donut:ALERT:SILENT:MOVING`, in eighths; what is left is standing. */
export function donutPicture(id: string, colours: Palette): ImageData {
  const [alert = 0, silent = 0, moving = 0] = id.split(":").slice(1).map(Number);
  const pen = canvas(DONUT);
  pen.translate(DONUT / 2, DONUT / 2);
  pen.shadowColor = "rgba(0, 0, 0, 0.25)";
  pen.shadowBlur = 4;
  pen.fillStyle = colours.surface;
  pen.fill(dot(DONUT / 2 - 4));
  pen.shadowColor = "transparent";
  pen.lineWidth = 4.5;
  let from = 0;
  const arc = (eighths: number, look: Look) => {
    if (eighths <= 0 || from >= EIGHTHS) return;
    const to = Math.min(EIGHTHS, from + eighths);
    pen.beginPath();
    pen.strokeStyle = colours.looks[look];
    pen.arc(0, 0, DONUT / 2 - 6.5, angle(from), angle(to));
    pen.stroke();
    from = to;
  };
  arc(alert, "alert");
  arc(silent, "silent");
  arc(moving, "moving");
  arc(EIGHTHS - from, "standing");
  return done(pen, DONUT);
}

function angle(eighths: number): number {
  return (2 * Math.PI * eighths) / EIGHTHS - Math.PI / 2;
}

function canvas(size: number): CanvasRenderingContext2D {
  const element = document.createElement("canvas");
  element.width = element.height = size * PIXEL_RATIO;
  const pen = element.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("this browser has no 2D canvas");
  pen.scale(PIXEL_RATIO, PIXEL_RATIO);
  return pen;
}

function done(pen: CanvasRenderingContext2D, size: number): ImageData {
  return pen.getImageData(0, 0, size * PIXEL_RATIO, size * PIXEL_RATIO);
}
