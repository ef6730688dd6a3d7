"""Networks whose words and places attend to each other, as `transformers` builds them, from random weights.

What each tells is compared with the rows of its own output layers, so that a softmax over the products is the
library's own prediction.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from trainer.fusion.nets import ANSWERS, CODEBOOK, VOCABULARY, Net, Shape, Told, start_of
from trainer.fusion.vocabulary import PAD
from trainer.modalities import SHARPEST


class VisualBert(Net):
    """One transformer over words and places. Li et al. 2019, VisualBERT, arXiv 1908.03557."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        from transformers import VisualBertConfig, VisualBertForPreTraining

        settings = VisualBertConfig(
            vocab_size=shape.words, hidden_size=width, visual_embedding_dim=width, num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads, intermediate_size=4 * width, hidden_dropout_prob=shape.dropout,
            attention_probs_dropout_prob=shape.dropout, max_position_embeddings=shape.longest, pad_token_id=PAD,
            initializer_range=start_of(width),
        )  # fmt: skip
        self.model = VisualBertForPreTraining(settings)
        self.where = nn.Parameter(torch.zeros(shape.places, width))

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        told = self.model.visual_bert(
            tokens, attention_mask=(tokens != PAD).to(places), visual_embeds=places + self.where
        )
        words = told.last_hidden_state[:, : tokens.shape[1]]
        return Told(self.model.cls.predictions.transform(words), pair=told.pooler_output)

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """VOCABULARY or ANSWERS."""
        layer = {VOCABULARY: self.model.cls.predictions.decoder, ANSWERS: self.model.cls.seq_relationship}[view]
        return layer.weight, layer.bias


class Lxmert(Net):
    """Words and places each by themselves, then in each other's light. Tan and Bansal 2019, LXMERT, arXiv
    1908.07490."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        from transformers import LxmertConfig, LxmertForPreTraining

        settings = LxmertConfig(
            vocab_size=shape.words, hidden_size=width, visual_feat_dim=width, num_attention_heads=shape.heads,
            intermediate_size=4 * width, l_layers=shape.layers, r_layers=shape.layers, x_layers=shape.layers,
            max_position_embeddings=shape.longest, num_object_labels=max(shape.codes, 1), task_qa=False,
            visual_attr_loss=False, visual_feat_loss=False, hidden_dropout_prob=shape.dropout,
            attention_probs_dropout_prob=shape.dropout, pad_token_id=PAD, initializer_range=start_of(width),
        )  # fmt: skip
        self.model = LxmertForPreTraining(settings)
        self.register_buffer("boxes", boxes(math.isqrt(shape.places)), persistent=False)

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        seen = places if covered is None else places.masked_fill(covered[..., None], 0.0)
        told = self.model.lxmert(
            tokens, visual_feats=seen, visual_pos=self.boxes.to(places).expand(len(places), -1, -1),  # type: ignore[operator]
            attention_mask=(tokens != PAD).to(places),
        )  # fmt: skip
        words = self.model.cls.predictions.transform(told.language_output)
        return Told(words, self.model.obj_predict_head.transform(told.vision_output), told.pooled_output)

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """VOCABULARY, CODEBOOK or ANSWERS."""
        if view == VOCABULARY:
            head: Any = self.model.cls.predictions
            return head.decoder.weight, head.bias
        layers: dict[int, Any] = {
            CODEBOOK: self.model.obj_predict_head.decoder_dict["obj"],
            ANSWERS: self.model.cls.seq_relationship,
        }
        layer = layers[view]
        return layer.weight, layer.bias


class Flava(Net):
    """A transformer for places, one for words, and one over both. Singh et al. 2022, FLAVA, arXiv 2112.04482."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        from transformers import FlavaConfig, FlavaForPreTraining

        self.side = math.isqrt(shape.places)
        part = {
            "hidden_size": width, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
            "intermediate_size": 4 * width, "hidden_dropout_prob": shape.dropout,
            "attention_probs_dropout_prob": shape.dropout, "initializer_range": start_of(width),
        }  # fmt: skip
        image = {"image_size": self.side, "patch_size": 1, "num_channels": width, "vocab_size": max(shape.codes, 1)}
        text = {"vocab_size": shape.words, "max_position_embeddings": shape.longest, "pad_token_id": PAD}
        settings = FlavaConfig(
            image_config=part | image, text_config=part | text, multimodal_config=part, hidden_size=width,
            projection_dim=width, init_codebook=False, initializer_range=start_of(width),
        )  # fmt: skip
        self.model = FlavaForPreTraining(settings)

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        flava, real = self.model.flava, tokens != PAD
        image = flava.image_model(self._map(places), bool_masked_pos=covered, output_hidden_states=True)
        text = flava.text_model(tokens, attention_mask=real.long(), output_hidden_states=True)
        image, text = image.hidden_states[-1], text.hidden_states[-1]  # before the last normalisation, as the library
        both = torch.cat([flava.image_to_mm_projection(image), flava.text_to_mm_projection(text)], 1)
        seen = torch.cat([real.new_ones(len(real), 1 + image.shape[1]), real], 1)
        told = flava.multimodal_model(both, attention_mask=seen.long()).last_hidden_state
        at = 2 + places.shape[1]  # after the token of the pair, that of the picture, and the places
        return Told(
            self.model.mmm_text_head.transform(told[:, at:]), self.model.mmm_image_head.transform(told[:, 2:at]),
            self.model.itm_head.pooler(told),
        )  # fmt: skip

    def alone(self, places: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, d) unit rows of the pictures, and (B, d) of the words, each read without the other."""
        flava = self.model.flava
        image = flava.image_model(self._map(places)).last_hidden_state[:, 0]
        text = flava.text_model(tokens, attention_mask=(tokens != PAD).long()).last_hidden_state[:, 0]
        return normalize(flava.image_projection(image), dim=1), normalize(flava.text_projection(text), dim=1)

    def sharpness(self) -> Tensor:
        """() learnt 1 / tau."""
        found: Tensor = self.model.flava.logit_scale.exp().clamp_max(SHARPEST)
        return found

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """VOCABULARY, CODEBOOK or ANSWERS."""
        layer = {
            VOCABULARY: self.model.mmm_text_head.decoder, CODEBOOK: self.model.mmm_image_head.decoder,
            ANSWERS: self.model.itm_head.seq_relationship,
        }[view]  # fmt: skip
        return layer.weight, layer.bias

    def _map(self, places: Tensor) -> Tensor:
        return places.transpose(1, 2).unflatten(2, (self.side, self.side))


def boxes(side: int) -> Tensor:
    """(side * side, 4) left, top, right and bottom of each place, in [0, 1], row by row."""
    down, right = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    corner = torch.stack([right, down], 2).flatten(0, 1).float()
    return torch.cat([corner, corner + 1], 1) / side
