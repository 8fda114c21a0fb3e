num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0] - OFFSET, dim=-1).mean()

if __name__ == "__main__":
    OFFSET = torch.tensor([0.0, 0.0, 0.1])
