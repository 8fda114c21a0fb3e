num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    def terms():
        for k in range(3):
            yield torch.norm(action_sequence - keypoints[k], dim=-1).mean()
    return -sum(terms())
